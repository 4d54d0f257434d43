// Sets the colours before the first paint: as the operator chose, else as the system has them.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = root.dataset.bsTheme;
  const apply = () => { root.dataset.bsTheme = chosen || (system.matches ? "dark" : "light"); };
  apply();
  if (!chosen) system.addEventListener("change", apply);
  root.classList.add("u-scripted");
})();
