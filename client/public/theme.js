// Runs before the first paint, so that a page never shows in one theme and then in the other. `theme-toggle.ts` does
// the rest.
try {
  const theme = localStorage.getItem("meet-ai-theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is off: the system's theme it is.
}
