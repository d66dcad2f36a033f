import { expect, test } from "vitest";

import { fileName, toCsv } from "./download";

test("what means something in CSV is quoted, and what was not measured is empty", () => {
  const csv = toCsv({
    header: ["name", "cpu"],
    rows: [
      ['a,"b"\n', 0.5],
      ["c", null],
    ],
  });
  expect(csv).toBe('name,cpu\r\n"a,""b""\n",0.5\r\nc,\r\n');
});

test("text is no formula to a spreadsheet, and numbers stay what they are", () => {
  const csv = toCsv({
    header: ["name", "cpu"],
    rows: [
      ['=HYPERLINK("http://x","y")', -1],
      ["-2", "@a"],
    ],
  });
  expect(csv).toBe('name,cpu\r\n"\'=HYPERLINK(""http://x"",""y"")",-1\r\n-2,\'@a\r\n');
});

test("names of files are names of files", () => {
  expect(fileName("k8s.io/web 1", new Date(2026, 10, 3, 4, 5))).toBe("monitor-k8s.io_web_1-20261103-0405");
});
