//! The order of leaves.

use proptest::prelude::*;
use rollcall_domain::ledger::in_order_of_commit;

/// What was committed, in its order: records, and exchanges with what they stand after.
fn committed() -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(any::<bool>(), 0..60)
}

proptest! {
    #[test]
    fn what_was_committed_comes_out_in_its_order(committed in committed()) {
        let (mut records, mut exchanges, mut position) = (Vec::new(), Vec::new(), 0);
        for (n, is_record) in committed.iter().enumerate() {
            if *is_record {
                position += 1;
                records.push((position, n));
            } else {
                exchanges.push((position, n));
            }
        }
        let merged: Vec<usize> = in_order_of_commit(records, exchanges).collect();
        prop_assert_eq!(merged, (0..committed.len()).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_is_lost_whatever_exchanges_say_of_themselves(
        records in 0_u64..30,
        after in prop::collection::vec(0_u64..40, 0..30),
    ) {
        let records = (1..=records).map(|position| (position, (true, position)));
        let exchanges = after.iter().zip(1..).map(|(after, number)| (*after, (false, number)));
        let merged: Vec<_> = in_order_of_commit(records.clone(), exchanges).collect();
        let of = |kind| merged.iter().filter(move |item| item.0 == kind).map(|item| item.1);
        prop_assert!(of(true).eq(1..=records.count() as u64));
        prop_assert!(of(false).eq(1..=after.len() as u64));
    }
}
