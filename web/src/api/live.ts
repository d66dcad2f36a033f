/** The stream of snapshots: kept up, resumed where it was lost, and told whether it runs. */

import { signal, type Signal } from "@preact/signals";

import { Failure, failureOf, unreachable } from "./client";
import { EventParser } from "./sse";
import type { Snapshot } from "./types";

/** Where the stream stands. */
export type Phase =
  | { is: "connecting" }
  | { is: "live" }
  /** Lost, and tried again; why. */
  | { is: "lost"; why: string };

/** The longest pause before the next try. */
const MOST_PAUSE_MS = 4000;
/** The server says something at least every 15 s. */
const SILENCE_MS = 25_000;

export class Live<C> {
  readonly phase: Signal<Phase> = signal({ is: "connecting" });
  readonly latest: Signal<Snapshot<C> | null> = signal(null);
  private lastId: string | null = null;
  private stopped: AbortController | null = null;
  private listeners = new Set<(snapshot: Snapshot<C>) => void>();

  /** `query` is what follows the path of the stream, with its question mark. */
  constructor(private readonly query: string) {}

  /** Calls `listener` with each snapshot, in order. */
  listen(listener: (snapshot: Snapshot<C>) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Runs until what it returns is called; not while the page is hidden: what was missed comes when it is shown. */
  start(): () => void {
    const follow = () => (document.hidden ? this.stop() : this.run());
    document.addEventListener("visibilitychange", follow);
    follow();
    return () => {
      document.removeEventListener("visibilitychange", follow);
      this.stop();
    };
  }

  private stop(): void {
    this.stopped?.abort();
    this.stopped = null;
  }

  private run(): void {
    if (this.stopped) return;
    const stopped = new AbortController();
    this.stopped = stopped;
    void this.keepUp(stopped.signal);
  }

  private async keepUp(stopped: AbortSignal): Promise<void> {
    let pause = 250;
    while (!stopped.aborted) {
      const before = this.lastId;
      const why = await this.read(stopped).catch((error: unknown) => error);
      if (stopped.aborted) return;
      if (this.lastId !== before) pause = 250;
      this.phase.value = { is: "lost", why: why instanceof Failure ? why.message : unreachable().message };
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, MOST_PAUSE_MS);
    }
  }

  /** Reads one connection to its end; what it throws says why it ended. */
  private async read(stopped: AbortSignal): Promise<never> {
    const silent = new AbortController();
    let alarm = 0;
    const heard = () => {
      clearTimeout(alarm);
      alarm = window.setTimeout(() => silent.abort(), SILENCE_MS);
    };
    heard();
    const cut = () => silent.abort();
    stopped.addEventListener("abort", cut);
    try {
      const headers: Record<string, string> = this.lastId ? { "last-event-id": this.lastId } : {};
      const response = await fetch(`/api/v1/stream${this.query}`, { headers, signal: silent.signal }).catch(() => {
        throw unreachable();
      });
      if (!response.ok || !response.body) throw await failureOf(response);
      const parser = new EventParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) throw unreachable();
        heard();
        for (const event of parser.push(value)) this.take(event.id, JSON.parse(event.data) as Snapshot<C>);
      }
    } finally {
      clearTimeout(alarm);
      stopped.removeEventListener("abort", cut);
      silent.abort();
    }
  }

  private take(id: string, snapshot: Snapshot<C>): void {
    this.lastId = id;
    if (this.phase.value.is !== "live") this.phase.value = { is: "live" };
    this.latest.value = snapshot;
    for (const listener of this.listeners) listener(snapshot);
  }
}
