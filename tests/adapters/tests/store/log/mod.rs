//! The contract of the log.

mod append;
mod claims;
pub use concurrent::follow;

mod concurrent;
mod exchanges;
pub mod facets;
pub mod ledger;
mod reads;

mod append_contract {
    contract!(super::super::append, log:
        positions_are_gapless_in_every_organization
        a_refused_append_leaves_no_trace
        four_refusals_are_four_answers
        an_append_of_two_organizations_is_refused
        payloads_come_back_as_they_were
        envelopes_come_back_as_they_were
    );
}
mod claims_contract {
    contract!(super::super::claims, log:
        one_append_releases_and_takes
        a_stream_may_retake_its_own
        what_is_used_once_is_not_even_its_holders_to_take_again
        a_late_release_frees_nobody_elses
        claims_are_of_one_scope
        a_claim_without_events_is_held
        a_claim_of_the_deployment_has_one_holder
        claims_are_paged_in_their_order
        the_first_claim_key_wins
    );
}
mod exchanges_contract {
    contract!(super::super::exchanges, log:
        exchanges_come_back_with_and_without_bodies
        an_exchange_names_the_positions_it_caused
        a_repeated_exchange_appends_nothing
        one_exchange_sent_by_many_at_once_is_appended_once
        exchanges_are_paged
        dropped_bodies_are_gone_and_it_is_said
        erased_exchanges_keep_their_place_and_their_leaf
    );
}
mod facets_contract {
    contract!(super::super::facets, log:
        exchanges_are_found_by_each_facet
    );
}
mod ledger_contract {
    contract!(super::super::ledger, log:
        an_empty_log_has_an_empty_tree
        leaves_and_tree_follow_from_what_is_read
        many_at_once_grow_one_tree
        leaves_stay_when_bodies_are_dropped
    );
}
mod reads_contract {
    contract!(super::super::reads, log:
        an_empty_log_answers
        streams_load_after_a_version
        records_are_paged
        snapshots_keep_the_latest
        heads_name_every_log
    );
}
mod concurrent_contract {
    contract!(super::super::concurrent, log:
        sixteen_writers_leave_no_gap
        one_of_many_wins_a_race
        one_of_many_gets_a_claim
    );
}
