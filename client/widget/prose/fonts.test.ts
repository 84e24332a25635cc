import { expect, test } from "vitest";
import { roomStyles } from "../element/meet-ai-room.styles.ts";
import { FONTS } from "./fonts.ts";
import { proseStyles } from "./prose.styles.ts";

test("the fonts that are found early are those that the style sheets name", () => {
  for (const font of FONTS) {
    const families = font.replace(/^(?:600 )?[\d.]+px /, "");
    expect(roomStyles.cssText + proseStyles.cssText).toContain(families);
  }
});
