/** Server-sent events, read from bytes: unlike `EventSource`, with the server's own word where it refuses. */

export interface ServerEvent {
  id: string;
  data: string;
}

/** Takes a stream apart; what is not at its end yet is kept for the next piece. */
export class EventParser {
  private rest = "";
  private id = "";
  private data: string[] = [];

  /** The events that are complete with this piece. */
  push(piece: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    // Looked for in the new piece alone: a snapshot of a thousand containers comes in many.
    let from = this.rest.length;
    this.rest += piece;
    let start = 0;
    for (;;) {
      const end = this.rest.indexOf("\n", from);
      if (end < 0) break;
      this.take(this.rest.slice(start, end).replace(/\r$/, ""), events);
      start = from = end + 1;
    }
    this.rest = this.rest.slice(start);
    return events;
  }

  private take(line: string, events: ServerEvent[]): void {
    if (line === "") {
      if (this.data.length > 0) events.push({ id: this.id, data: this.data.join("\n") });
      this.data = [];
    } else if (line.startsWith("data:")) {
      this.data.push(line.slice(line[5] === " " ? 6 : 5));
    } else if (line.startsWith("id:")) {
      this.id = line.slice(3).trim();
    }
  }
}
