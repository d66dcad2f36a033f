/** What a range is like as a whole: every metric of one container, or one metric of all. */

import { useEffect, useState } from "preact/hooks";

import { Failure } from "../api/client";
import { getHistory, type HistoryDistribution, type Range } from "../api/history";
import { poll } from "../api/poll";
import { getStatistics, type ContainerStatistics, type MetricStatistics, type Statistics } from "../api/statistics";
import { KEPT_DISTRIBUTIONS, findDistribution, findMetric, nameOf, plain, title, words } from "../model/metrics";
import { format, moment, seconds } from "../model/units";
import { go, location, setParams } from "../router";
import { containerOptions, useChoosable } from "../view/choose-container";
import { MetricChoice } from "../view/choose-metric";
import { fileName, saveCsv, saveJson, savePicture, tablePicture } from "../view/download";
import { DownloadMenu } from "../view/download-menu";
import { Histogram } from "../view/histogram";
import { Choice, Notice, Select } from "../view/parts";
import { RangeChoice, useKept, useRange } from "../view/range";
import { FIGURES, StatisticsTable, unitOfSeries, type StatisticsRow } from "../view/statistics-table";
import { useLive } from "../view/status";

const USUAL = "cpu.usage_cores";
/** Ranges up to now are asked for again this often: it is more work than anything else that is asked. */
const EVERY_MS = 15_000;

export function StatisticsPage({ wanted }: { wanted: string | null }) {
  const { params } = location.value;
  const metric = params.get("metric") ?? USUAL;
  const isAll = params.get("metrics") === "all";
  const live = useLive("?fields=cpu.usage_cores");
  const choosable = useChoosable(live.latest.value);
  const chosen = choosable.find((one) => one.id === wanted || one.name === wanted);
  const kept = useKept();
  const range = useRange(kept);
  const metrics = wanted ? (isAll ? ["all"] : []) : [findDistribution(metric) ? `${metric}.p99_ns` : metric];
  const { statistics, failure } = useStatistics(range, metrics, wanted);
  const distributions = useDistributions(range, wanted);
  const rows = statistics ? rowsOf(statistics, wanted !== null) : [];
  return (
    <div class="page">
      <div class="page-head">
        <h1>Statistics{chosen ? ` of ${chosen.name}` : ""}</h1>
        <span class="dim">
          {statistics?.from &&
            statistics.to &&
            `${moment(seconds(statistics.from))} – ${moment(seconds(statistics.to))}, ${statistics.ticks} steps`}
        </span>
      </div>
      <div class="toolbar is-sticky">
        <Select
          label="Container"
          options={containerOptions(choosable, "all, by one metric")}
          value={chosen?.id ?? wanted ?? ""}
          choose={(id) => go(`/statistics${id ? `/${encodeURIComponent(id)}` : ""}${window.location.search}`)}
        />
        {wanted ? (
          <Choice
            label="Metrics"
            options={[
              { value: "usual", text: "usual" },
              { value: "all", text: "all" },
            ]}
            value={isAll ? "all" : "usual"}
            choose={(which) => setParams({ metrics: which === "all" ? which : null })}
          />
        ) : (
          <MetricChoice value={metric} choose={(name) => setParams({ metric: name === USUAL ? null : name })} />
        )}
        <RangeChoice range={range} kept={kept} />
        {statistics && <DownloadMenu {...downloads(chosen?.name ?? metric, statistics, rows)} />}
      </div>
      {failure && <Notice title="There are no statistics">{failure}</Notice>}
      {!failure && !statistics && <Notice title="Counting">This takes a moment.</Notice>}
      {statistics && rows.length === 0 && (
        <Notice title="Nothing was measured">in this range, or not of this container.</Notice>
      )}
      {rows.length > 0 && (
        <div class="statistics-page">
          <StatisticsTable label={wanted ? "metric" : "container"} rows={rows} />
          {wanted && (
            <div class="histograms">
              {Object.entries(distributions).map(([name, distribution]) => (
                <Histogram
                  key={name}
                  title={words(name.split(".")[1] ?? name)}
                  help={plain(findDistribution(name)?.help ?? "")}
                  distribution={distribution}
                />
              ))}
            </div>
          )}
          {statistics && !wanted && <Correlations statistics={statistics} />}
        </div>
      )}
    </div>
  );
}

function useStatistics(range: Range, metrics: readonly string[], wanted: string | null) {
  const [told, tell] = useState<{ statistics: Statistics | null; failure: string | null }>({
    statistics: null,
    failure: null,
  });
  useEffect(
    () =>
      poll(EVERY_MS, async (stopped) => {
        try {
          const query = { range, metrics, ...(wanted ? { containers: [wanted] } : {}) };
          tell({ statistics: await getStatistics(query, stopped), failure: null });
        } catch (error) {
          // What is shown stays where there is no answer at all, which the head of the page tells.
          if (!(error instanceof Failure) || error.status === 0) throw error;
          tell((before) => ({ ...before, failure: error.message }));
          return;
        }
        return "last" in range ? undefined : "enough";
      }),
    [range, metrics.join(), wanted],
  );
  return told;
}

function useDistributions(range: Range, wanted: string | null): Record<string, HistoryDistribution> {
  const [distributions, tell] = useState<Record<string, HistoryDistribution>>({});
  useEffect(() => {
    if (!wanted) return;
    const query = { range, metrics: KEPT_DISTRIBUTIONS.map(nameOf), containers: [wanted] };
    return poll(EVERY_MS, async (stopped) => {
      const { subjects } = await getHistory(query, stopped);
      tell(subjects[0]?.distributions ?? {});
      return "last" in range ? undefined : "enough";
    });
  }, [range, wanted]);
  return distributions;
}

function rowsOf(statistics: Statistics, isOne: boolean): StatisticsRow[] {
  const metricRow = (found: MetricStatistics): StatisticsRow => ({
    key: found.metric,
    name: title(found.metric),
    help: plain(findMetric(found.metric)?.help ?? ""),
    statistics: found,
  });
  if (isOne) return (statistics.containers[0]?.metrics ?? []).map(metricRow);
  const containerRow = (one: ContainerStatistics): StatisticsRow[] => {
    const [found] = one.metrics;
    const name = one.name ?? one.id.slice(0, 12);
    const link = <a href={`/statistics/${encodeURIComponent(one.id)}${window.location.search}`}>{name}</a>;
    return found ? [{ key: one.id, name: link, help: one.image ?? "", statistics: found }] : [];
  };
  return statistics.containers.flatMap(containerRow).sort((one, other) => other.statistics.mean - one.statistics.mean);
}

function Correlations({ statistics }: { statistics: Statistics }) {
  if (statistics.correlations.length === 0) return null;
  return (
    <section class="panel">
      <h2>Who goes together</h2>
      <ul>
        {statistics.correlations.map(({ metric, first, second, rho }) => (
          <li key={metric + first + second}>
            {first} and {second}: {title(metric)}, ρ {rho.toFixed(2)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function downloads(what: string, statistics: Statistics, rows: readonly StatisticsRow[]) {
  const name = fileName(`statistics-${what}`);
  return {
    json: () => saveJson(name, statistics),
    csv: () =>
      saveCsv(name, {
        header: ["container", "metric", "per_second", ...FIGURES, "count", "outlier_count"],
        rows: statistics.containers.flatMap((one) =>
          one.metrics.map((found) => [
            one.name ?? one.id,
            found.metric,
            String(found.per_second),
            ...FIGURES.map((figure) => found[figure]),
            found.count,
            found.outlier_count,
          ]),
        ),
      }),
    png: () =>
      savePicture(
        name,
        tablePicture(`${what} · ${statistics.from ?? ""} – ${statistics.to ?? ""}`, {
          header: [what, ...FIGURES],
          rows: rows.map(({ key, statistics }) => [
            key,
            ...FIGURES.map((figure) => format(statistics[figure], unitOfSeries(statistics))),
          ]),
        }),
      ),
  };
}
