// Moments in forms: written in the reader's own zone, kept and sent in UTC. Without us they are in UTC altogether.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const kept = new Map<HTMLInputElement, string>();

export function localiseMoments(): void {
  for (const name of document.querySelectorAll("[data-zone]")) name.textContent = zone;
  for (const input of document.querySelectorAll<HTMLInputElement>("input[data-moment]")) {
    if (input.dataset.moment) input.value = local(new Date(input.dataset.moment));
    kept.set(input, input.value);
    input.form?.addEventListener("formdata", (event) => event.formData.set(input.name, sent(input)));
  }
}

/** An hour that comes twice looks the same both times: what was not changed is sent as it came. */
function sent(input: HTMLInputElement): string {
  if (input.value === kept.get(input)) return input.dataset.moment ?? "";
  const moment = new Date(input.value); // an hour that the zone skips is the one after it
  return Number.isNaN(moment.getTime()) ? input.value : moment.toISOString();
}

function local(moment: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${String(moment.getFullYear()).padStart(4, "0")}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  return `${day}T${two(moment.getHours())}:${two(moment.getMinutes())}`;
}
