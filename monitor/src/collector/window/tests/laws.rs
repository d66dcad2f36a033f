//! What holds of windows whatever was counted.

use super::*;

/// One second's counting: how much the counter grew, or what it was set to, and the durations that were seen.
#[derive(Clone, Debug)]
enum Second {
    Grows(u64, Vec<u64>),
    IsReset(u64),
}

fn second() -> impl Strategy<Value = Second> {
    let durations = proptest::collection::vec(any::<u64>(), 0..5);
    prop_oneof![
        8 => (0_u64..1 << 50, durations).prop_map(|(growth, durations)| Second::Grows(growth, durations)),
        1 => (0_u64..1 << 50).prop_map(Second::IsReset),
    ]
}

/// The series after each second.
fn counted(seconds: &[Second]) -> Vec<Series> {
    let mut all = series(1, 0);
    let after = |one: &Second| {
        let CgroupCounters { sched, runq, timeslices, .. } = counters(&mut all);
        match one {
            Second::Grows(growth, durations) => {
                sched.voluntary_switches += growth;
                for ns in durations {
                    runq[bucket(*ns)] += 1;
                    timeslices[coarse_bucket(*ns)] += 1;
                }
            }
            Second::IsReset(to) => {
                sched.voluntary_switches = *to;
                (*runq, *timeslices) = ([0; BUCKETS], [0; COARSE_BUCKETS]);
            }
        }
        all.clone()
    };
    seconds.iter().map(after).collect()
}

fn total(series: &Series) -> u64 {
    sched_counters(series).unwrap().voluntary_switches
}

proptest! {
    #[test]
    fn a_rate_is_growth_over_time_and_unknown_where_the_counter_went_backwards(
        seconds in proptest::collection::vec(second(), 2..12),
        length in 1_u64..100,
    ) {
        for pair in counted(&seconds).windows(2) {
            let (before, now) = (sample(7, vec![pair[0].clone()]), sample(7 + length, vec![pair[1].clone()]));
            let rate = only(&snapshot(Some(&before), &now)).scheduler.voluntary_switches_per_second;
            let growth = total(&pair[1]).checked_sub(total(&pair[0]));
            let expected = growth.map(|growth| growth as f64 / length as f64);
            prop_assert_eq!(rate, expected);
            prop_assert!(rate.is_none_or(|rate| rate >= 0.0 && rate.is_finite()));
        }
    }

    #[test]
    fn the_buckets_of_all_windows_are_those_of_the_whole(
        durations in proptest::collection::vec(proptest::collection::vec(any::<u64>(), 0..5), 2..12),
    ) {
        let seconds: Vec<Second> = durations.iter().cloned().map(|seen| Second::Grows(1, seen)).collect();
        let all = counted(&seconds);
        let seen = |latency: &Option<Latency>| latency.as_ref().unwrap().buckets.clone();
        let mut sums: BTreeMap<u64, u64> = BTreeMap::new();
        for pair in all.windows(2) {
            let window = snapshot(Some(&sample(1, vec![pair[0].clone()])), &sample(2, vec![pair[1].clone()]));
            let scheduler = &only(&window).scheduler;
            let latency = scheduler.runq_latency.as_ref().unwrap();
            prop_assert_eq!(latency.count, seen(&scheduler.timeslices).iter().map(|one| one.count).sum::<u64>());
            prop_assert!([latency.p50_ns, latency.p90_ns, latency.p99_ns].is_sorted());
            prop_assert!(latency.max_ns.is_none() || latency.p99_ns <= latency.max_ns);
            for one in &latency.buckets {
                *sums.entry(one.from_ns).or_default() += one.count;
            }
        }
        let (first, last) = (all.first().unwrap(), all.last().unwrap());
        let whole = snapshot(Some(&sample(1, vec![first.clone()])), &sample(9, vec![last.clone()]));
        let whole = seen(&only(&whole).scheduler.runq_latency);
        prop_assert_eq!(whole.iter().map(|one| (one.from_ns, one.count)).collect::<BTreeMap<_, _>>(), sums);
    }

    #[test]
    fn distributions_are_unknown_where_any_bucket_went_backwards(seen in any::<u64>(), since in any::<u64>()) {
        let seconds = [
            Second::Grows(1, vec![seen, seen]),
            Second::IsReset(1),
            Second::Grows(1, vec![since]),
        ];
        let all = counted(&seconds);
        let window = snapshot(Some(&sample(1, vec![all[0].clone()])), &sample(2, vec![all[2].clone()]));
        prop_assert_eq!(&only(&window).scheduler.runq_latency, &None);
    }
}
