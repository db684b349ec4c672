// Packages that bring no types of their own, and are imported only for what they do when loaded.
declare module "htmx-ext-sse";
