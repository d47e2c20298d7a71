//! The contract of views that are folded in the transaction of an append.

mod along;
mod tally;

pub use tally::{Tally, tables};

mod along_contract {
    contract!(super::super::along, inline:
        what_an_append_says_is_folded_is_there_for_every_reader
        whatever_is_wrong_with_the_views_fails_no_append_and_is_caught_up
        an_append_of_many_organizations_folds_each
        whoever_writes_the_views_is_not_waited_for
        views_that_are_replaced_meanwhile_miss_nothing
        views_that_are_far_behind_are_left_to_the_folder
        a_refused_or_repeated_append_folds_nothing_twice
        views_are_never_ahead_of_the_log
    );
}
