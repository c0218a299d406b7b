// Elements made in code: attributes and text only, no markup is ever parsed.

/** An element with attributes. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string> = {},
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

const SHAPES = {
  chat: "M12 3c5 0 9 3.4 9 7.7 0 4.3-4 7.8-9 7.8-1 0-2-.2-3-.4L4.6 20.500c-.4.2-.8-.2-.7-.600l.9-3.400C3.7 15 3 12.9 3 10.7 3 6.4 7 3 12 3Z",
  close: "M6 6l12 12M18 6 6 18",
  down: "M6 9.500l6 6 6-6",
  send: "M4.5 12 4 4.800l16.5 7.200L4 19.200l.5-7.200Zm0 0H12",
  mark: "M5 6.500h14v9h-7.500L8 19v-3.500H5zM9 11h.01M12 11h.01M15 11h.01",
};

/** A line drawing that screen readers skip. */
export function icon(name: keyof typeof SHAPES): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  for (const [attribute, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", class: `icon icon-${name}` }))
    drawing.setAttribute(attribute, value);
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", SHAPES[name]);
  drawing.append(path);
  return drawing;
}
