// A part of the page is fetched by one request at a time, and shows the newest answer. News that come while one is
// under way let the part be fetched once more after it, for that answer may be older than they are. What somebody does
// goes at once; the answer to a request before it is left alone then, since it may be older than what was done.

import htmx from "htmx.org";

interface Asked {
  elt: Element;
  target: Element;
  verb: string;
  triggeringEvent?: Event;
}

interface Sent {
  target: Element;
  xhr: XMLHttpRequest;
}

/** The newest request under way for each part, by its id. */
const newest = new Map<string, XMLHttpRequest>();
/** The parts that are to be fetched once more. */
const again = new Set<string>();

export function keepNewest(): void {
  document.addEventListener("htmx:confirm", (event) => {
    const { elt, target, verb, triggeringEvent } = (event as CustomEvent<Asked>).detail;
    if (verb !== "get" || elt.matches("form, input") || !newest.has(target.id)) return;
    if (triggeringEvent?.type.startsWith("live:")) again.add(target.id);
    event.preventDefault();
  });
  document.addEventListener("htmx:beforeSend", (event) => {
    const { target, xhr } = (event as CustomEvent<Sent>).detail;
    if (!fetchesItself(target)) return;
    newest.set(target.id, xhr);
    // Not an event of htmx: those of an element that has been replaced meanwhile are heard by nobody.
    xhr.addEventListener("loadend", () => ended(target.id, xhr));
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { target, xhr } = (event as CustomEvent<Sent>).detail;
    if (fetchesItself(target) && newest.get(target.id) !== xhr) event.preventDefault();
  });
}

function fetchesItself(target: Element): boolean {
  return target.id !== "" && target.hasAttribute("hx-get");
}

function ended(id: string, xhr: XMLHttpRequest): void {
  if (newest.get(id) !== xhr) return;
  newest.delete(id);
  const part = document.getElementById(id);
  if (!again.delete(id) || !part) return;
  // One that fails has been told of already, and the news after it try again.
  htmx.ajax("get", part.getAttribute("hx-get") ?? "", { source: part }).catch(() => undefined);
}
