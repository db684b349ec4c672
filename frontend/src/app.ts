import htmx from "htmx.org";
import "htmx-ext-sse";

// The content security policy of our pages forbids both.
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
