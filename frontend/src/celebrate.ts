// A flag that has just been found turns green with a few sparks. Small, once, and not for who wants no motion.

const SPARKS = 14;

export function celebrateFlags(): void {
  let open = ids(".flag:not(.is-found)");
  document.addEventListener("htmx:load", () => {
    for (const id of ids(".flag.is-found")) if (open.has(id)) celebrate(document.getElementById(id));
    open = ids(".flag:not(.is-found)");
  });
}

function ids(selector: string): Set<string> {
  return new Set([...document.querySelectorAll(selector)].map((element) => element.id));
}

function celebrate(card: HTMLElement | null): void {
  const icon = card?.querySelector<HTMLElement>(".badge-icon");
  if (!card || !icon) return;
  card.classList.add("is-new");
  const sparks = Array.from({ length: SPARKS }, (_, index) => {
    const angle = (2 * Math.PI * index) / SPARKS;
    const reach = 34 + 26 * Math.random();
    const spark = document.createElement("span");
    spark.className = "spark";
    spark.style.setProperty("--x", `${Math.round(Math.cos(angle) * reach)}px`);
    spark.style.setProperty("--y", `${Math.round(Math.sin(angle) * reach)}px`);
    spark.style.left = `${icon.offsetLeft + icon.offsetWidth / 2}px`;
    spark.style.top = `${icon.offsetTop + icon.offsetHeight / 2}px`;
    return spark;
  });
  card.append(...sparks);
  window.setTimeout(() => sparks.forEach((spark) => spark.remove()), 1000);
}
