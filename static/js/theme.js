// Runs before the first paint: the stored choice of light or dark, and the mark that scripts run at all.
(() => {
  const root = document.documentElement;
  root.classList.replace("no-js", "js");
  try {
    const theme = localStorage.getItem("rd-theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // Storage may be switched off; then the system's choice holds.
  }
})();
