/**
 * The keyboard: `/` to the box, arrows through results, Escape back and clear. Enter on a result
 * is the button's own.
 */
import { moveFocus } from "./hits.ts";

/** What keys act upon. */
export interface Keyboard {
  readonly box: HTMLInputElement;
  /** The list whose results the arrows walk. */
  readonly list: HTMLElement;
  /** Whether a document is open: then its dialog has the keys. */
  isReading(): boolean;
  /** Empties the search. */
  clear(): void;
}

/** Listens on the whole page. */
export function listenToKeys(keyboard: Keyboard): void {
  document.addEventListener("keydown", (event) => {
    if (keyboard.isReading() || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (act(keyboard, event.key, event.target)) event.preventDefault();
  });
}

/** Whether the key meant something here. */
function act({ box, list, clear }: Keyboard, key: string, target: EventTarget | null): boolean {
  const inBox = target === box;
  const inList = target instanceof Node && list.contains(target);
  switch (key) {
    case "/":
      if (inBox || isTextField(target)) return false;
      box.focus();
      box.select();
      return true;
    case "ArrowDown":
      return (inBox || inList) && moveFocus(list, box, 1);
    case "ArrowUp":
      return inList && moveFocus(list, box, -1);
    case "Escape":
      if (inBox) clear();
      else box.focus();
      return true;
    default:
      return false;
  }
}

function isTextField(target: EventTarget | null): boolean {
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && target.type !== "radio" && target.type !== "checkbox";
}
