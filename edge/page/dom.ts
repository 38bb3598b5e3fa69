/** Elements from data. Text goes in as text nodes only: nothing here parses markup. */

type Attributes = Readonly<Record<string, string>>;
type Child = Node | string | null;

/** A new element with these attributes and children; null children are left out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** The element with this id, which page/index.html has. Throws where it has another type. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`The page has no ${type.name} #${id}.`);
}

/**
 * A text with these stretches in mark elements: `[start, end)` in UTF-16 units; those that do not
 * ascend are skipped.
 */
export function marked(text: string, marks: readonly (readonly [number, number])[]): DocumentFragment {
  const fragment = document.createDocumentFragment();
  let from = 0;
  for (const [start, end] of marks) {
    if (start < from || end <= start || end > text.length) continue;
    fragment.append(text.slice(from, start), element("mark", {}, text.slice(start, end)));
    from = end;
  }
  fragment.append(text.slice(from));
  return fragment;
}

/** Sets a custom property, which a policy without inline styles allows only from script. */
export function setShare<T extends HTMLElement>(target: T, property: `--${string}`, share: number): T {
  target.style.setProperty(property, Math.min(1, Math.max(0, share)).toFixed(3));
  return target;
}
