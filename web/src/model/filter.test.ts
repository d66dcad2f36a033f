import { expect, test } from "vitest";

import type { Identity } from "../api/types";
import { matches, parseFilter } from "./filter";

const WEB: Identity = {
  id: "4f2c00112233",
  short_id: "4f2c00112233",
  name: "shop-web-1",
  image: "nginx:1.29",
  runtime: "docker",
  state: "running",
  exit_code: null,
  created_at: null,
  started_at: null,
  finished_at: null,
  labels: { "com.docker.compose.project": "shop", tier: "front end" },
  pod: { name: "web-0", namespace: "prod", uid: "u1" },
};

test.each([
  ["", true],
  ["WEB", true],
  ["nginx:1.29", true],
  ["4f2c", true],
  ["prod/web", true],
  ["batch", false],
  ["web batch", false],
  ["-batch", true],
  ["-web", false],
  ["runtime:docker state:run", true],
  ["state:exited", false],
  ["pod:web-0", true],
  ["project:shop", true],
  ["label:tier", true],
  ['label:"tier=front end"', true],
  ["label:tier=front", true],
  ["label:tier=back", false],
  ["label:ti", false],
  ["-label:tier", false],
  ['"shop-web', true],
])("filter %s", (text, isShown) => {
  expect(matches(parseFilter(text), WEB)).toBe(isShown);
});
