// A part of the page that is fetched anew leaves everyone where they were: at a question, at a choice, or at the keyboard.

interface Swap {
  target: HTMLElement;
  requestConfig: { elt: Element; verb: string };
}

export function keepPlaces(): void {
  let open: string[] = [];
  let chosen: string[] = [];
  let focused = "";
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig } = (event as CustomEvent<Swap>).detail;
    // The button that was pressed is disabled meanwhile, which takes its focus away.
    const acted = requestConfig.verb !== "get" && target.contains(requestConfig.elt);
    const questions = [...target.querySelectorAll("details.confirm[open]")];
    // The question that this answers has been answered.
    open = questions.filter((one) => !acted || !one.contains(requestConfig.elt)).map((question) => question.id);
    chosen = [...target.querySelectorAll("input[type=radio]:checked")].map((choice) => choice.id);
    const active = document.activeElement;
    focused = active && target.contains(active) ? active.id || target.id : acted ? target.id : "";
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of open.splice(0)) document.getElementById(id)?.setAttribute("open", "");
    for (const id of chosen.splice(0)) {
      const choice = document.getElementById(id);
      if (choice instanceof HTMLInputElement) choice.checked = true;
    }
    const place = document.activeElement === document.body ? document.getElementById(focused) : null;
    focused = "";
    if (!place) return;
    if (place.tabIndex < 0) place.tabIndex = -1; // what takes no focus by itself takes it now
    place.focus({ preventScroll: true });
  });
}
