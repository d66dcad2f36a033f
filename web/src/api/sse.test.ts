import { expect, test } from "vitest";

import { EventParser } from "./sse";

test("events come whole, however the stream is cut", () => {
  const text = 'id: 1\ndata: {"a":\ndata: 1}\n\n:\n\nid: 2\r\ndata: x\r\n\r\n';
  for (let size = 1; size <= text.length; size++) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < text.length; at += size) events.push(...parser.push(text.slice(at, at + size)));
    expect(events, `in pieces of ${size}`).toEqual([
      { id: "1", data: '{"a":\n1}' },
      { id: "2", data: "x" },
    ]);
  }
});

test("what has no end yet is no event", () => {
  const parser = new EventParser();
  expect(parser.push("id: 1\ndata: x\n")).toEqual([]);
  expect(parser.push("\n")).toEqual([{ id: "1", data: "x" }]);
});
