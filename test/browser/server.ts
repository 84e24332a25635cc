/** A fresh server, and a page and a browser that know of none, for each test of a file that imports this. */

import { afterEach, beforeEach } from "vitest";
import { FakeServer } from "./fake-server.ts";

export let server: FakeServer;

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  server = new FakeServer().install();
});

afterEach(() => {
  document.body.replaceChildren();
  server.uninstall();
});
