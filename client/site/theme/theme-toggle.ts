import { html, svg } from "lit";
import { customElement, state } from "lit/decorators.js";
import { PageElement } from "../page-element.ts";

/** Where `/theme.js` finds the choice before the first paint. */
const STORED = "meet-ai-theme";

const systemIsLight = matchMedia("(prefers-color-scheme: light)");

const sun = svg`<circle cx="12" cy="12" r="4" /><path d="M12 3v2m0 14v2M3 12h2m14 0h2M5.6 5.6 7 7m10 10 1.4 1.4m0-12.8L17 7M7 17l-1.4 1.4" />`;
const moon = svg`<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z" />`;

/**
 * Switches between the dark and the light theme. A choice is remembered while it differs from the system's; else the
 * page goes with the system.
 */
@customElement("site-theme")
export class ThemeToggle extends PageElement {
  @state() private light = isLight();

  override connectedCallback(): void {
    super.connectedCallback();
    systemIsLight.addEventListener("change", this.#follow);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    systemIsLight.removeEventListener("change", this.#follow);
  }

  override render() {
    const label = this.light ? "Use the dark theme" : "Use the light theme";
    return html`
      <button type="button" class="icon-button" aria-label=${label} title=${label} @click=${this.#toggle}>
        <svg viewBox="0 0 24 24" aria-hidden="true">${this.light ? moon : sun}</svg>
      </button>
    `;
  }

  #toggle(): void {
    this.light = !this.light;
    const root = document.documentElement;
    if (this.light === systemIsLight.matches) delete root.dataset.theme;
    else root.dataset.theme = this.light ? "light" : "dark";
    try {
      if (root.dataset.theme) localStorage.setItem(STORED, root.dataset.theme);
      else localStorage.removeItem(STORED);
    } catch {
      // Storage is off: the choice lasts as long as the page.
    }
  }

  readonly #follow = () => {
    this.light = isLight();
  };
}

function isLight(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen === undefined ? systemIsLight.matches : chosen === "light";
}
