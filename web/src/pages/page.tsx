/** Which page an address is of. */

import { Component, type ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import { location, partsOf } from "../router";
import { Notice } from "../view/parts";
import { Shell } from "../view/shell";
import { ComparePage } from "./compare";
import { ContainerPage } from "./container";
import { InterferencePage } from "./interference";
import { OverviewPage } from "./overview";
import { StatisticsPage } from "./statistics";

export function Page() {
  const { path } = location.value;
  useEffect(() => {
    document.title = titleOf(path);
  }, [path]);
  return (
    <Shell>
      <Whole key={path}>{contentOf(path)}</Whole>
    </Shell>
  );
}

/** Says so where a page cannot be drawn, in its place: the way to the others stays. */
class Whole extends Component<{ children: ComponentChildren }, { fault: string | null }> {
  override state: { fault: string | null } = { fault: null };

  static override getDerivedStateFromError(fault: unknown) {
    return { fault: String(fault) };
  }

  /** It is a fault of this program's, and as such on the console too. */
  override componentDidCatch(fault: unknown): void {
    console.error(fault);
  }

  override render() {
    if (this.state.fault === null) return this.props.children;
    return (
      <Notice title="This page has a fault">
        <p>
          It cannot be shown: <code>{this.state.fault}</code>.
        </p>
        <button type="button" onClick={() => window.location.reload()}>
          Load it anew
        </button>
      </Notice>
    );
  }
}

function contentOf(path: string) {
  const [page, wanted] = partsOf(path);
  if (page === "") return <OverviewPage />;
  if (page === "container" && wanted) return <ContainerPage key={wanted} wanted={wanted} />;
  if (page === "interference") return <InterferencePage />;
  if (page === "compare") return <ComparePage />;
  if (page === "statistics") return <StatisticsPage key={wanted ?? ""} wanted={wanted ?? null} />;
  return (
    <>
      <h1 class="hidden">Not found</h1>
      <Notice title="There is no such page">
        <a href="/">The overview</a> has all containers.
      </Notice>
    </>
  );
}

function titleOf(path: string): string {
  const [page, wanted] = partsOf(path);
  return [wanted?.slice(0, 40), page, "monitor"].filter(Boolean).join(" · ");
}
