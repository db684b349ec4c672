// htmx as a strict content security policy asks for it, and what it does when an answer is an error.

import htmx from "htmx.org";
import "htmx-ext-sse";
import { toast } from "./toasts";

declare global {
  interface Window {
    htmx: typeof htmx;
  }
}

window.htmx = htmx;
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.scrollBehavior = "auto";
// A button that is new on the page works at once: one that is pressed before htmx knows it would load the whole page.
htmx.config.defaultSettleDelay = 0;
// Refused forms come back with their reasons in the page's own markup.
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "[45]..", swap: true, error: true },
];

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, isError } = (event as CustomEvent<{ xhr: XMLHttpRequest; isError: boolean; shouldSwap: boolean }>).detail;
  // Only fragments are put into a page: whatever else answers, a proxy's page or our own, must not be.
  if (isError && xhr.getResponseHeader("X-Fragment") === null) {
    (event as CustomEvent<{ shouldSwap: boolean }>).detail.shouldSwap = false;
  }
});

interface Failure {
  target: HTMLElement;
  xhr: XMLHttpRequest;
  requestConfig: { verb: string };
}

document.addEventListener("htmx:responseError", (event) => {
  const { target, xhr, requestConfig } = (event as CustomEvent<Failure>).detail;
  if (requestConfig.verb === "get") sayFailed(target);
  else if (xhr.getResponseHeader("X-Fragment") === null) toast("failed");
});

document.addEventListener("htmx:sendError", (event) => {
  const { target, requestConfig } = (event as CustomEvent<Failure>).detail;
  if (requestConfig.verb === "get") sayFailed(target);
  else toast("offline");
});

/** What is there stays when it cannot be fetched anew; only what has never come says so. */
function sayFailed(element: HTMLElement): void {
  const waiting = element.dataset.failed ? element.querySelector("p.notice") : null;
  if (waiting) waiting.textContent = element.dataset.failed ?? "";
}
