// Rows of a form that one can have more of: the page keeps an empty one in a template, with "@" for its number.

export function repeatRows(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const adder = target.closest<HTMLElement>("[data-add-row]");
    if (adder) add(adder.dataset.addRow ?? "");
    target.closest("[data-remove-row]")?.closest("[data-row]")?.remove();
  });
}

function add(id: string): void {
  const list = document.getElementById(id);
  const template = document.getElementById(`${id}-row`);
  if (!list || !(template instanceof HTMLTemplateElement)) return;
  const number = Number(list.dataset.next ?? "0");
  list.dataset.next = String(number + 1);
  const row = template.content.firstElementChild?.cloneNode(true) as HTMLElement;
  for (const element of row.querySelectorAll("[name], [id], [for]")) {
    for (const name of ["name", "id", "for"]) {
      const value = element.getAttribute(name);
      if (value !== null) element.setAttribute(name, value.replace("@", String(number)));
    }
  }
  list.append(row);
  row.querySelector<HTMLElement>("input:not([type=hidden])")?.focus();
}
