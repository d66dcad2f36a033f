/** Which page is shown, and what of it: all of it is in the address, so that a link shows the same. */

import { signal } from "@preact/signals";

export interface Location {
  path: string;
  params: URLSearchParams;
}

export const location = signal<Location>(read());

function read(): Location {
  return { path: window.location.pathname, params: new URLSearchParams(window.location.search) };
}

window.addEventListener("popstate", () => {
  location.value = read();
});

/** Goes to a page as a link would. */
export function go(href: string): void {
  history.pushState(null, "", href);
  location.value = read();
  window.scrollTo(0, 0);
}

/** Changes what is shown of this page; `null` takes a parameter away, a list sets it more than once. */
export function setParams(changes: Record<string, string | string[] | null>, keep = false): void {
  const params = new URLSearchParams(location.value.params);
  for (const [name, value] of Object.entries(changes)) {
    params.delete(name);
    for (const one of value === null ? [] : [value].flat()) params.append(name, one);
  }
  const query = params.toString();
  const href = location.value.path + (query ? `?${query}` : "");
  // A step back leads to the page before, not through every letter of a filter.
  if (keep) history.pushState(null, "", href);
  else history.replaceState(null, "", href);
  location.value = read();
}

/** Follows links to pages without loading them anew. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = (event.target as Element).closest("a");
  if (!link || link.origin !== window.location.origin || link.hasAttribute("download") || link.target) return;
  if (
    link.pathname.startsWith("/api/") ||
    link.pathname.startsWith("/metrics") ||
    link.pathname.startsWith("/validate")
  )
    return;
  event.preventDefault();
  go(link.pathname + link.search);
}

/** The parts of a path between slashes; one that is not encoded as it should be is taken as it stands. */
export function partsOf(path: string): string[] {
  const decoded = (part: string) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  };
  return path.split("/").slice(1).map(decoded);
}

/** The page of a container. */
export function containerHref(id: string): string {
  return `/container/${encodeURIComponent(id)}`;
}
