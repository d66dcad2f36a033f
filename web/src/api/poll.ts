/** Asking the same again and again. */

import { Failure } from "./client";

/**
 * Asks, and asks again so long after each answer, until what it returns is called or the answer is enough. A question that fails
 * is asked again: that the connection is lost, the head of the page says. While the page is hidden nothing is asked.
 */
export function poll(everyMs: number, ask: (stopped: AbortSignal) => Promise<"enough" | void>): () => void {
  const stopped = new AbortController();
  const { signal } = stopped;
  let timer = 0;
  const turn = async () => {
    try {
      if ((await ask(signal)) === "enough") return;
    } catch (error) {
      if (!signal.aborted && !(error instanceof Failure)) throw error;
    }
    if (!signal.aborted) timer = window.setTimeout(next, everyMs);
  };
  const next = () => {
    if (!document.hidden) return void turn();
    document.addEventListener("visibilitychange", next, { once: true, signal });
  };
  void turn();
  return () => {
    stopped.abort();
    clearTimeout(timer);
  };
}
