import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headgate.v1 import event_service_pb2 as _event_service_pb2
from headgate.v1 import subscription_service_pb2 as _subscription_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BackupRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BackupResponse(_message.Message):
    __slots__ = ("chunk", "progress", "summary")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    progress: float
    summary: BackupSummary
    def __init__(self, chunk: _Optional[bytes] = ..., progress: _Optional[float] = ..., summary: _Optional[_Union[BackupSummary, _Mapping]] = ...) -> None: ...

class BackupSummary(_message.Message):
    __slots__ = ("sha256", "taken_at", "records")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    TAKEN_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    sha256: bytes
    taken_at: _timestamp_pb2.Timestamp
    records: int
    def __init__(self, sha256: _Optional[bytes] = ..., taken_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., records: _Optional[int] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("version", "started_at", "ready", "problem", "log", "sources", "streams", "last_not_ready", "events_sent", "events_sent_per_second", "certificate_not_after")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    LAST_NOT_READY_FIELD_NUMBER: _ClassVar[int]
    EVENTS_SENT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_SENT_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    version: str
    started_at: _timestamp_pb2.Timestamp
    ready: bool
    problem: str
    log: LogStatus
    sources: _containers.RepeatedCompositeFieldContainer[SourceStatus]
    streams: int
    last_not_ready: _event_service_pb2.Gap
    events_sent: int
    events_sent_per_second: float
    certificate_not_after: _timestamp_pb2.Timestamp
    def __init__(self, version: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ready: bool = ..., problem: _Optional[str] = ..., log: _Optional[_Union[LogStatus, _Mapping]] = ..., sources: _Optional[_Iterable[_Union[SourceStatus, _Mapping]]] = ..., streams: _Optional[int] = ..., last_not_ready: _Optional[_Union[_event_service_pb2.Gap, _Mapping]] = ..., events_sent: _Optional[int] = ..., events_sent_per_second: _Optional[float] = ..., certificate_not_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class LogStatus(_message.Message):
    __slots__ = ("epoch", "records", "size_bytes", "free_bytes", "earliest_time", "latest_time", "quarantined", "format", "newest_format", "quarantined_bytes", "quarantine_dropped")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    EARLIEST_TIME_FIELD_NUMBER: _ClassVar[int]
    LATEST_TIME_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FORMAT_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_BYTES_FIELD_NUMBER: _ClassVar[int]
    QUARANTINE_DROPPED_FIELD_NUMBER: _ClassVar[int]
    epoch: str
    records: int
    size_bytes: int
    free_bytes: int
    earliest_time: _timestamp_pb2.Timestamp
    latest_time: _timestamp_pb2.Timestamp
    quarantined: int
    format: int
    newest_format: int
    quarantined_bytes: int
    quarantine_dropped: int
    def __init__(self, epoch: _Optional[str] = ..., records: _Optional[int] = ..., size_bytes: _Optional[int] = ..., free_bytes: _Optional[int] = ..., earliest_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., latest_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., quarantined: _Optional[int] = ..., format: _Optional[int] = ..., newest_format: _Optional[int] = ..., quarantined_bytes: _Optional[int] = ..., quarantine_dropped: _Optional[int] = ...) -> None: ...

class SourceStatus(_message.Message):
    __slots__ = ("source", "contexts", "accepted", "duplicates", "quarantined", "refused", "tests", "last_accepted_at", "last_test_at", "refused_by_cause", "last_secret_id", "awaiting_secret_until", "stopped", "last_heard_at", "expected_by", "suspected", "suspected_gaps", "last_suspected", "accepted_per_second", "unauthenticated_in_a_row")
    class RefusedByCauseEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONTEXTS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    TESTS_FIELD_NUMBER: _ClassVar[int]
    LAST_ACCEPTED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_TEST_AT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_BY_CAUSE_FIELD_NUMBER: _ClassVar[int]
    LAST_SECRET_ID_FIELD_NUMBER: _ClassVar[int]
    AWAITING_SECRET_UNTIL_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    LAST_HEARD_AT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_BY_FIELD_NUMBER: _ClassVar[int]
    SUSPECTED_FIELD_NUMBER: _ClassVar[int]
    SUSPECTED_GAPS_FIELD_NUMBER: _ClassVar[int]
    LAST_SUSPECTED_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    UNAUTHENTICATED_IN_A_ROW_FIELD_NUMBER: _ClassVar[int]
    source: str
    contexts: _containers.RepeatedScalarFieldContainer[str]
    accepted: int
    duplicates: int
    quarantined: int
    refused: int
    tests: int
    last_accepted_at: _timestamp_pb2.Timestamp
    last_test_at: _timestamp_pb2.Timestamp
    refused_by_cause: _containers.ScalarMap[str, int]
    last_secret_id: str
    awaiting_secret_until: _timestamp_pb2.Timestamp
    stopped: bool
    last_heard_at: _timestamp_pb2.Timestamp
    expected_by: _timestamp_pb2.Timestamp
    suspected: _containers.RepeatedScalarFieldContainer[_event_service_pb2.Gap.Cause]
    suspected_gaps: int
    last_suspected: _event_service_pb2.Gap
    accepted_per_second: float
    unauthenticated_in_a_row: int
    def __init__(self, source: _Optional[str] = ..., contexts: _Optional[_Iterable[str]] = ..., accepted: _Optional[int] = ..., duplicates: _Optional[int] = ..., quarantined: _Optional[int] = ..., refused: _Optional[int] = ..., tests: _Optional[int] = ..., last_accepted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_test_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., refused_by_cause: _Optional[_Mapping[str, int]] = ..., last_secret_id: _Optional[str] = ..., awaiting_secret_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stopped: bool = ..., last_heard_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expected_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., suspected: _Optional[_Iterable[_Union[_event_service_pb2.Gap.Cause, str]]] = ..., suspected_gaps: _Optional[int] = ..., last_suspected: _Optional[_Union[_event_service_pb2.Gap, _Mapping]] = ..., accepted_per_second: _Optional[float] = ..., unauthenticated_in_a_row: _Optional[int] = ...) -> None: ...

class GetHistoryRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetHistoryResponse(_message.Message):
    __slots__ = ("points",)
    POINTS_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[HistoryPoint]
    def __init__(self, points: _Optional[_Iterable[_Union[HistoryPoint, _Mapping]]] = ...) -> None: ...

class HistoryPoint(_message.Message):
    __slots__ = ("at", "over", "posts", "events_sent", "lag", "delivery", "log_size_bytes")
    class PostsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    AT_FIELD_NUMBER: _ClassVar[int]
    OVER_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_SENT_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    LOG_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    over: _duration_pb2.Duration
    posts: _containers.ScalarMap[str, int]
    events_sent: int
    lag: _duration_pb2.Duration
    delivery: _duration_pb2.Duration
    log_size_bytes: int
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., over: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., posts: _Optional[_Mapping[str, int]] = ..., events_sent: _Optional[int] = ..., lag: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., delivery: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., log_size_bytes: _Optional[int] = ...) -> None: ...

class ListStreamsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListStreamsResponse(_message.Message):
    __slots__ = ("streams",)
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    streams: _containers.RepeatedCompositeFieldContainer[Stream]
    def __init__(self, streams: _Optional[_Iterable[_Union[Stream, _Mapping]]] = ...) -> None: ...

class Stream(_message.Message):
    __slots__ = ("id", "client_name", "peer", "started_at", "filter", "events_sent", "lag", "caught_up", "reader", "state", "cursor", "credential", "subscription")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Stream.State]
        STATE_LIVE: _ClassVar[Stream.State]
        STATE_REPLAYING: _ClassVar[Stream.State]
        STATE_STALLED: _ClassVar[Stream.State]
        STATE_STANDBY: _ClassVar[Stream.State]
    STATE_UNSPECIFIED: Stream.State
    STATE_LIVE: Stream.State
    STATE_REPLAYING: Stream.State
    STATE_STALLED: Stream.State
    STATE_STANDBY: Stream.State
    ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_NAME_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    EVENTS_SENT_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    READER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    id: str
    client_name: str
    peer: str
    started_at: _timestamp_pb2.Timestamp
    filter: _event_service_pb2.Filter
    events_sent: int
    lag: _duration_pb2.Duration
    caught_up: bool
    reader: str
    state: Stream.State
    cursor: str
    credential: str
    subscription: str
    def __init__(self, id: _Optional[str] = ..., client_name: _Optional[str] = ..., peer: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[_Union[_event_service_pb2.Filter, _Mapping]] = ..., events_sent: _Optional[int] = ..., lag: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., caught_up: bool = ..., reader: _Optional[str] = ..., state: _Optional[_Union[Stream.State, str]] = ..., cursor: _Optional[str] = ..., credential: _Optional[str] = ..., subscription: _Optional[str] = ...) -> None: ...

class EndStreamRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class EndStreamResponse(_message.Message):
    __slots__ = ("stream",)
    STREAM_FIELD_NUMBER: _ClassVar[int]
    stream: Stream
    def __init__(self, stream: _Optional[_Union[Stream, _Mapping]] = ...) -> None: ...

class ListSubscriptionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSubscriptionsResponse(_message.Message):
    __slots__ = ("subscriptions",)
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    subscriptions: _containers.RepeatedCompositeFieldContainer[ReaderSubscription]
    def __init__(self, subscriptions: _Optional[_Iterable[_Union[ReaderSubscription, _Mapping]]] = ...) -> None: ...

class ReaderSubscription(_message.Message):
    __slots__ = ("reader", "subscription", "shards")
    READER_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SHARDS_FIELD_NUMBER: _ClassVar[int]
    reader: str
    subscription: _subscription_service_pb2.Subscription
    shards: _containers.RepeatedCompositeFieldContainer[_subscription_service_pb2.SubscriptionShard]
    def __init__(self, reader: _Optional[str] = ..., subscription: _Optional[_Union[_subscription_service_pb2.Subscription, _Mapping]] = ..., shards: _Optional[_Iterable[_Union[_subscription_service_pb2.SubscriptionShard, _Mapping]]] = ...) -> None: ...

class DeleteSubscriptionRequest(_message.Message):
    __slots__ = ("reader", "name")
    READER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    reader: str
    name: str
    def __init__(self, reader: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class DeleteSubscriptionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SkipEventRequest(_message.Message):
    __slots__ = ("reader", "name", "cursor", "reason")
    READER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    reader: str
    name: str
    cursor: str
    reason: str
    def __init__(self, reader: _Optional[str] = ..., name: _Optional[str] = ..., cursor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SkipEventResponse(_message.Message):
    __slots__ = ("skip",)
    SKIP_FIELD_NUMBER: _ClassVar[int]
    skip: _subscription_service_pb2.Skip
    def __init__(self, skip: _Optional[_Union[_subscription_service_pb2.Skip, _Mapping]] = ...) -> None: ...

class ListQuarantineRequest(_message.Message):
    __slots__ = ("page_size", "after_id", "source")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    AFTER_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    after_id: str
    source: str
    def __init__(self, page_size: _Optional[int] = ..., after_id: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class ListQuarantineResponse(_message.Message):
    __slots__ = ("quarantined", "has_more")
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    quarantined: _containers.RepeatedCompositeFieldContainer[Quarantined]
    has_more: bool
    def __init__(self, quarantined: _Optional[_Iterable[_Union[Quarantined, _Mapping]]] = ..., has_more: bool = ...) -> None: ...

class GetQuarantinedRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class GetQuarantinedResponse(_message.Message):
    __slots__ = ("quarantined", "raw_body")
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    RAW_BODY_FIELD_NUMBER: _ClassVar[int]
    quarantined: Quarantined
    raw_body: bytes
    def __init__(self, quarantined: _Optional[_Union[Quarantined, _Mapping]] = ..., raw_body: _Optional[bytes] = ...) -> None: ...

class ReprocessQuarantinedRequest(_message.Message):
    __slots__ = ("ids", "source", "after_id", "dry_run")
    IDS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    AFTER_ID_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    source: str
    after_id: str
    dry_run: bool
    def __init__(self, ids: _Optional[_Iterable[str]] = ..., source: _Optional[str] = ..., after_id: _Optional[str] = ..., dry_run: bool = ...) -> None: ...

class ReprocessQuarantinedResponse(_message.Message):
    __slots__ = ("reprocessed", "has_more")
    REPROCESSED_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    reprocessed: _containers.RepeatedCompositeFieldContainer[Reprocessed]
    has_more: bool
    def __init__(self, reprocessed: _Optional[_Iterable[_Union[Reprocessed, _Mapping]]] = ..., has_more: bool = ...) -> None: ...

class Reprocessed(_message.Message):
    __slots__ = ("id", "outcome", "problem", "source", "context", "event_type")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[Reprocessed.Outcome]
        OUTCOME_APPENDED: _ClassVar[Reprocessed.Outcome]
        OUTCOME_DUPLICATE: _ClassVar[Reprocessed.Outcome]
        OUTCOME_TEST_CALL: _ClassVar[Reprocessed.Outcome]
        OUTCOME_STAYS: _ClassVar[Reprocessed.Outcome]
        OUTCOME_NOT_FOUND: _ClassVar[Reprocessed.Outcome]
    OUTCOME_UNSPECIFIED: Reprocessed.Outcome
    OUTCOME_APPENDED: Reprocessed.Outcome
    OUTCOME_DUPLICATE: Reprocessed.Outcome
    OUTCOME_TEST_CALL: Reprocessed.Outcome
    OUTCOME_STAYS: Reprocessed.Outcome
    OUTCOME_NOT_FOUND: Reprocessed.Outcome
    ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    id: str
    outcome: Reprocessed.Outcome
    problem: str
    source: str
    context: str
    event_type: str
    def __init__(self, id: _Optional[str] = ..., outcome: _Optional[_Union[Reprocessed.Outcome, str]] = ..., problem: _Optional[str] = ..., source: _Optional[str] = ..., context: _Optional[str] = ..., event_type: _Optional[str] = ...) -> None: ...

class DiscardQuarantinedRequest(_message.Message):
    __slots__ = ("ids", "source", "reason")
    IDS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    source: str
    reason: str
    def __init__(self, ids: _Optional[_Iterable[str]] = ..., source: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class DiscardQuarantinedResponse(_message.Message):
    __slots__ = ("discarded",)
    DISCARDED_FIELD_NUMBER: _ClassVar[int]
    discarded: int
    def __init__(self, discarded: _Optional[int] = ...) -> None: ...

class Quarantined(_message.Message):
    __slots__ = ("id", "source", "context", "event_type", "received_at", "problem", "body_size", "content_type")
    ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    BODY_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    id: str
    source: str
    context: str
    event_type: str
    received_at: _timestamp_pb2.Timestamp
    problem: str
    body_size: int
    content_type: str
    def __init__(self, id: _Optional[str] = ..., source: _Optional[str] = ..., context: _Optional[str] = ..., event_type: _Optional[str] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., problem: _Optional[str] = ..., body_size: _Optional[int] = ..., content_type: _Optional[str] = ...) -> None: ...

class EraseRequest(_message.Message):
    __slots__ = ("source", "context", "everything", "record", "person_id", "associate_id", "cursors", "execute", "after_cursor")
    class Record(_message.Message):
        __slots__ = ("entity", "primary_key")
        ENTITY_FIELD_NUMBER: _ClassVar[int]
        PRIMARY_KEY_FIELD_NUMBER: _ClassVar[int]
        entity: str
        primary_key: int
        def __init__(self, entity: _Optional[str] = ..., primary_key: _Optional[int] = ...) -> None: ...
    class Cursors(_message.Message):
        __slots__ = ("cursors",)
        CURSORS_FIELD_NUMBER: _ClassVar[int]
        cursors: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, cursors: _Optional[_Iterable[str]] = ...) -> None: ...
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    ASSOCIATE_ID_FIELD_NUMBER: _ClassVar[int]
    CURSORS_FIELD_NUMBER: _ClassVar[int]
    EXECUTE_FIELD_NUMBER: _ClassVar[int]
    AFTER_CURSOR_FIELD_NUMBER: _ClassVar[int]
    source: str
    context: str
    everything: bool
    record: EraseRequest.Record
    person_id: int
    associate_id: int
    cursors: EraseRequest.Cursors
    execute: bool
    after_cursor: str
    def __init__(self, source: _Optional[str] = ..., context: _Optional[str] = ..., everything: bool = ..., record: _Optional[_Union[EraseRequest.Record, _Mapping]] = ..., person_id: _Optional[int] = ..., associate_id: _Optional[int] = ..., cursors: _Optional[_Union[EraseRequest.Cursors, _Mapping]] = ..., execute: bool = ..., after_cursor: _Optional[str] = ...) -> None: ...

class EraseResponse(_message.Message):
    __slots__ = ("found", "undecided", "searched", "next_cursor", "has_more")
    FOUND_FIELD_NUMBER: _ClassVar[int]
    UNDECIDED_FIELD_NUMBER: _ClassVar[int]
    SEARCHED_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    found: _containers.RepeatedCompositeFieldContainer[Erasable]
    undecided: _containers.RepeatedCompositeFieldContainer[Erasable]
    searched: int
    next_cursor: str
    has_more: bool
    def __init__(self, found: _Optional[_Iterable[_Union[Erasable, _Mapping]]] = ..., undecided: _Optional[_Iterable[_Union[Erasable, _Mapping]]] = ..., searched: _Optional[int] = ..., next_cursor: _Optional[str] = ..., has_more: bool = ...) -> None: ...

class Erasable(_message.Message):
    __slots__ = ("cursor", "received_at", "entity", "quarantined")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    received_at: _timestamp_pb2.Timestamp
    entity: str
    quarantined: bool
    def __init__(self, cursor: _Optional[str] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., entity: _Optional[str] = ..., quarantined: bool = ...) -> None: ...
