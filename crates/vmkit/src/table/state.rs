//! The life of a symbol, as a pure function from state and event to state.
#![forbid(unsafe_code)]

/// Where a symbol stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum State {
    /// Nobody defines it (yet).
    Undefined = 0,
    /// It can be compiled.
    Defined = 1,
    /// Somebody called it; it waits for a compile thread.
    Queued = 2,
    /// A compile thread is at it.
    Compiling = 3,
    /// It has an address.
    Ready = 4,
    /// Its compile or its resolution failed.
    Failed = 5,
    /// Its resolver must be called, by whoever calls it (`ifunc`).
    Resolving = 6,
}

/// What happens to a symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// A module, or the process, defines it.
    Define,
    /// It is called, or wanted.
    Request,
    /// A compile thread takes it.
    Begin,
    /// Its address is known.
    Publish,
    /// It cannot be compiled or resolved.
    Fail,
    /// Its address is what a function returns.
    Defer,
    /// It has another definition now, or what its code took for granted no longer holds.
    Redefine,
    /// Nobody defines it any more.
    Remove,
}

impl State {
    /// Every state, by number.
    pub(crate) const ALL: [Self; 7] = [
        Self::Undefined,
        Self::Defined,
        Self::Queued,
        Self::Compiling,
        Self::Ready,
        Self::Failed,
        Self::Resolving,
    ];

    /// The state after `event`, or `None` where the event cannot happen.
    pub(crate) fn after(self, event: Event) -> Option<Self> {
        use {Event as E, State as S};
        Some(match (self, event) {
            (S::Undefined | S::Defined | S::Failed, E::Define) => S::Defined,
            (S::Undefined | S::Defined, E::Request) => S::Queued,
            (S::Undefined | S::Defined | S::Queued, E::Begin) => S::Compiling,
            // A unit publishes all it defines, also what nobody asked for or a thread waits for.
            (S::Undefined | S::Defined | S::Queued | S::Compiling, E::Publish) => S::Ready,
            (S::Resolving, E::Publish) => S::Ready,
            (S::Queued | S::Compiling, E::Fail) => S::Failed,
            (S::Compiling, E::Defer) => S::Resolving,
            // Whoever compiles the old definition will see that it is not wanted.
            (S::Queued | S::Compiling, E::Redefine | E::Remove) => self,
            (_, E::Redefine) => S::Defined,
            (_, E::Remove) => S::Undefined,
            _ => return None,
        })
    }

    /// The state with this number.
    pub(crate) fn from_number(number: u32) -> Self {
        Self::ALL[number as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip() {
        for state in State::ALL {
            assert_eq!(State::from_number(state as u32), state);
        }
    }

    const EVENTS: [Event; 6] =
        [Event::Define, Event::Request, Event::Begin, Event::Publish, Event::Fail, Event::Defer];

    #[test]
    fn a_redefinition_can_always_happen_and_waits_for_nobody() {
        for state in State::ALL {
            let waits = matches!(state, State::Queued | State::Compiling);
            let check = |event, end| {
                assert_eq!(state.after(event), Some(if waits { state } else { end }));
            };
            check(Event::Redefine, State::Defined);
            check(Event::Remove, State::Undefined);
        }
    }

    #[test]
    fn what_is_ready_stays_ready_until_it_is_redefined() {
        for event in EVENTS {
            assert_eq!(State::Ready.after(event), None, "{event:?}");
        }
    }

    #[test]
    fn only_a_compile_fails_or_defers() {
        for state in State::ALL {
            let is_compiling = matches!(state, State::Queued | State::Compiling);
            assert_eq!(state.after(Event::Fail).is_some(), is_compiling, "{state:?}");
            assert_eq!(state.after(Event::Defer).is_some(), state == State::Compiling);
        }
    }

    #[test]
    fn events_lead_where_their_name_says() {
        let ends = [
            State::Defined,
            State::Queued,
            State::Compiling,
            State::Ready,
            State::Failed,
            State::Resolving,
        ];
        for (event, end) in EVENTS.into_iter().zip(ends) {
            let reached = State::ALL.into_iter().filter_map(|state| state.after(event));
            assert!(reached.clone().count() > 0 && reached.clone().all(|state| state == end));
        }
    }

    #[test]
    fn every_state_but_ready_can_become_ready() {
        let mut good = vec![State::Ready];
        for _ in State::ALL {
            let leads = |state: &State| {
                EVENTS.iter().any(|&e| state.after(e).is_some_and(|next| good.contains(&next)))
            };
            let more: Vec<_> =
                State::ALL.into_iter().filter(|s| leads(s) && !good.contains(s)).collect();
            good.extend(more);
        }
        assert_eq!(good.len(), State::ALL.len(), "{good:?}");
    }

    #[test]
    fn a_life() {
        let check = |from: State, event, to| assert_eq!(from.after(event), to);
        check(State::Undefined, Event::Define, Some(State::Defined));
        check(State::Defined, Event::Request, Some(State::Queued));
        check(State::Queued, Event::Request, None);
        check(State::Queued, Event::Begin, Some(State::Compiling));
        check(State::Compiling, Event::Begin, None);
        check(State::Compiling, Event::Publish, Some(State::Ready));
        check(State::Compiling, Event::Fail, Some(State::Failed));
        check(State::Ready, Event::Begin, None);
        check(State::Ready, Event::Fail, None);
        check(State::Compiling, Event::Defer, Some(State::Resolving));
        check(State::Resolving, Event::Publish, Some(State::Ready));
    }
}
