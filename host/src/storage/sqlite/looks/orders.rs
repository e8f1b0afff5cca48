//! The orders that somebody may choose instead of urgency, each from an index that is there for another reason. A page
//! costs what is on it; a search, or a filter that few fit, costs one pass over the index at most: half a second of a
//! core for a million connections.

/// By name, which is the key of the table.
pub(super) const NAMED: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections c
    left join claims a on a.connection = c.id
    where c.id > max(?2, ?4) and c.id < coalesce(?5, cast(x'ffff' as text))
      and c.ends_at >= ?9 and c.ends_at <= ?3
      and (?6 is null or instr(lower(c.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by c.id limit ?8";

/// By the end of the token. Names are looked at in the index alone.
pub(super) const DATED: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections k indexed by connections_ends cross join connections c on c.id = k.id
    left join claims a on a.connection = c.id
    where (k.expires_at, k.id) > (?1, ?2) and k.expires_at <= ?3
      and k.id > ?4 and k.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(k.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = k.id))
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by k.expires_at, k.id limit ?8";

/// Behind them those without a known end, by name.
pub(super) const DATELESS: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections k indexed by connections_ends cross join connections c on c.id = k.id
    left join claims a on a.connection = c.id
    where k.expires_at is null
      and k.id > max(?2, ?4) and k.id < coalesce(?5, cast(x'ffff' as text))
      and c.ends_at >= ?9 and c.ends_at <= ?3
      and (?6 is null or instr(lower(k.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = k.id))
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by k.id limit ?8";

/// By the time of the next look, of one provider: the scheduler looks provider by provider, and so goes its index. An
/// order over all of them is merged of these.
pub(super) const PLANNED: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections k indexed by connections_due_provider cross join connections c on c.id = k.id
    left join claims a on a.connection = c.id
    where k.provider = ?10 and k.due_at is not null and (k.due_at, k.id) > (?1, ?2)
      and (?6 is null or instr(lower(k.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = k.id))
      and c.ends_at >= ?9 and c.ends_at <= ?3
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by k.due_at, k.id limit ?8";

/// Behind them those that are at rest, by name. No index has them together: who goes on to the end of the order pays for a
/// pass over the table.
pub(super) const UNPLANNED: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections c
    left join claims a on a.connection = c.id
    where c.due_at is null
      and c.id > max(?2, ?4) and c.id < coalesce(?5, cast(x'ffff' as text))
      and c.ends_at >= ?9 and c.ends_at <= ?3
      and (?6 is null or instr(lower(c.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by c.id limit ?8";

/// Those in one state that few are in, in any of these orders. Costs what is in trouble, as counting it for the overview
/// does: whoever may be in that state is found by the same indexes, and gets its state by the same rule, which a test
/// holds to `state_of`. Which of the indexes are read depends on the state alone, so that the others cost nothing.
pub(super) const FEW: &str = "
    with some (id) as (
        select id from connections indexed by connections_failing
        where ?13 in ('reconnect', 'misconfigured', 'late', 'expired')
          and (failures > 0 or problem is not null)
        union select id from connections indexed by connections_paused
              where ?13 = 'paused' and paused_at is not null
        union select connection from claims where ?13 = 'refreshing'
        union select id from connections indexed by connections_ends
              where ?13 in ('expired', 'paused') and expires_at <= ?10
        union select id from connections indexed by connections_ends
              where ?13 = 'new' and expires_at is null and issued_at is null
        union select c.id from json_each(?12) p cross join connections c
              on c.provider = p.value and c.due_at < ?11
              where ?13 = 'late')
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured,
           case ?14
               when 'name' then 0
               when 'next' then coalesce(c.due_at, 9223372036854775807)
               else iif(c.ends_at < 0, 9223372036854775807, c.ends_at)
           end as place
    from some cross join connections c on c.id = some.id
    left join claims a on a.connection = c.id
    where (place, c.id) > (?1, ?2)
      and c.id > ?4 and c.id < coalesce(?5, cast(x'ffff' as text))
      and c.ends_at >= ?9 and c.ends_at <= ?3
      and (?6 is null or instr(lower(c.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
      and ?13 = case
               when c.expires_at <= ?10 and c.failures = 0 and c.doubt_since is null
                    and c.paused_at is null and c.problem is null
                    and (c.due_at is null
                         or c.due_at > ?10 and c.refresh_expires_at > ?10
                            and c.due_at >= c.refresh_expires_at
                                - min((c.refresh_expires_at - min(c.issued_at, ?10)) / 3, 259200000))
                   then 'paused'
               when c.paused_at is not null and (c.paused_until is null or c.paused_until > ?10)
                   then 'paused'
               when c.problem = 'reconnect' then 'reconnect'
               when c.problem is not null then 'misconfigured'
               when a.attempt is not null then 'refreshing'
               when c.issued_at is null and c.failures = 0 then 'new'
               when c.issued_at is null or c.expires_at <= ?10 then 'expired'
               when c.failures > 0 or c.doubt_since is not null or c.due_at < ?11 then 'late'
               else 'fresh'
           end
    order by place, c.id limit ?8";
