import { signal } from "@preact/signals";

const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** Whether the system asks for dark colours: what is drawn on canvases must be drawn anew when that changes. */
export const isDark = signal(dark.matches);

dark.addEventListener("change", () => {
  isDark.value = dark.matches;
});
