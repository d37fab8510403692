// The total moves while one looks; without script it moves when the page is shown again.
(() => {
  const shown = (name) => document.querySelector(`[data-${name}]`);
  const francs = (n) => n.toString().replace(/\B(?=(\d{3})+$)/g, "\u202f") + "\u00a0FCFA";
  const look = async () => {
    if (document.hidden) return;
    try {
      const total = await (await fetch("/total.json")).json();
      shown("amount").textContent = francs(total.amount);
      shown("gifts").textContent = total.gifts;
      shown("percent").textContent = total.percent;
      shown("progress").value = total.percent;
    } catch { /* the next look will tell */ }
  };
  setInterval(look, 10000);
  document.addEventListener("visibilitychange", look);
})();
