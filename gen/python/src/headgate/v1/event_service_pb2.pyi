import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headgate.v1 import event_pb2 as _event_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OnLostCursor(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ON_LOST_CURSOR_UNSPECIFIED: _ClassVar[OnLostCursor]
    ON_LOST_CURSOR_FAIL: _ClassVar[OnLostCursor]
    ON_LOST_CURSOR_EARLIEST: _ClassVar[OnLostCursor]
    ON_LOST_CURSOR_LATEST: _ClassVar[OnLostCursor]
ON_LOST_CURSOR_UNSPECIFIED: OnLostCursor
ON_LOST_CURSOR_FAIL: OnLostCursor
ON_LOST_CURSOR_EARLIEST: OnLostCursor
ON_LOST_CURSOR_LATEST: OnLostCursor

class Filter(_message.Message):
    __slots__ = ("entities", "event_types", "actions", "contexts", "sources", "primary_keys", "changed_fields", "exclude_changed_by_associate_ids")
    ENTITIES_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CONTEXTS_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_KEYS_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELDS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_CHANGED_BY_ASSOCIATE_IDS_FIELD_NUMBER: _ClassVar[int]
    entities: _containers.RepeatedScalarFieldContainer[str]
    event_types: _containers.RepeatedScalarFieldContainer[str]
    actions: _containers.RepeatedScalarFieldContainer[str]
    contexts: _containers.RepeatedScalarFieldContainer[str]
    sources: _containers.RepeatedScalarFieldContainer[str]
    primary_keys: _containers.RepeatedScalarFieldContainer[int]
    changed_fields: _containers.RepeatedScalarFieldContainer[str]
    exclude_changed_by_associate_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, entities: _Optional[_Iterable[str]] = ..., event_types: _Optional[_Iterable[str]] = ..., actions: _Optional[_Iterable[str]] = ..., contexts: _Optional[_Iterable[str]] = ..., sources: _Optional[_Iterable[str]] = ..., primary_keys: _Optional[_Iterable[int]] = ..., changed_fields: _Optional[_Iterable[str]] = ..., exclude_changed_by_associate_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class Start(_message.Message):
    __slots__ = ("at", "after_cursor", "from_time", "saved")
    class Edge(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        EDGE_UNSPECIFIED: _ClassVar[Start.Edge]
        EDGE_EARLIEST: _ClassVar[Start.Edge]
        EDGE_LATEST: _ClassVar[Start.Edge]
    EDGE_UNSPECIFIED: Start.Edge
    EDGE_EARLIEST: Start.Edge
    EDGE_LATEST: Start.Edge
    AT_FIELD_NUMBER: _ClassVar[int]
    AFTER_CURSOR_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    SAVED_FIELD_NUMBER: _ClassVar[int]
    at: Start.Edge
    after_cursor: str
    from_time: _timestamp_pb2.Timestamp
    saved: Saved
    def __init__(self, at: _Optional[_Union[Start.Edge, str]] = ..., after_cursor: _Optional[str] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., saved: _Optional[_Union[Saved, _Mapping]] = ...) -> None: ...

class Saved(_message.Message):
    __slots__ = ("at", "after_cursor", "from_time")
    AT_FIELD_NUMBER: _ClassVar[int]
    AFTER_CURSOR_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    at: Start.Edge
    after_cursor: str
    from_time: _timestamp_pb2.Timestamp
    def __init__(self, at: _Optional[_Union[Start.Edge, str]] = ..., after_cursor: _Optional[str] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Shard(_message.Message):
    __slots__ = ("index", "count")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    index: int
    count: int
    def __init__(self, index: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ("filter", "start", "on_lost_cursor", "heartbeat_interval", "shard", "max_batch_size", "stop_when_caught_up", "client_name", "subscription", "subscription_shards", "member")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    ON_LOST_CURSOR_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    MAX_BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    STOP_WHEN_CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    CLIENT_NAME_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_SHARDS_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    filter: Filter
    start: Start
    on_lost_cursor: OnLostCursor
    heartbeat_interval: _duration_pb2.Duration
    shard: Shard
    max_batch_size: int
    stop_when_caught_up: bool
    client_name: str
    subscription: str
    subscription_shards: int
    member: str
    def __init__(self, filter: _Optional[_Union[Filter, _Mapping]] = ..., start: _Optional[_Union[Start, _Mapping]] = ..., on_lost_cursor: _Optional[_Union[OnLostCursor, str]] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., shard: _Optional[_Union[Shard, _Mapping]] = ..., max_batch_size: _Optional[int] = ..., stop_when_caught_up: bool = ..., client_name: _Optional[str] = ..., subscription: _Optional[str] = ..., subscription_shards: _Optional[int] = ..., member: _Optional[str] = ...) -> None: ...

class SubscribeResponse(_message.Message):
    __slots__ = ("cursor", "events", "started", "checkpoint", "gap", "erased", "closing", "assigned", "standby")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    ERASED_FIELD_NUMBER: _ClassVar[int]
    CLOSING_FIELD_NUMBER: _ClassVar[int]
    ASSIGNED_FIELD_NUMBER: _ClassVar[int]
    STANDBY_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    started: Started
    checkpoint: Checkpoint
    gap: Gap
    erased: Erased
    closing: Closing
    assigned: Assigned
    standby: Standby
    def __init__(self, cursor: _Optional[str] = ..., events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ..., started: _Optional[_Union[Started, _Mapping]] = ..., checkpoint: _Optional[_Union[Checkpoint, _Mapping]] = ..., gap: _Optional[_Union[Gap, _Mapping]] = ..., erased: _Optional[_Union[Erased, _Mapping]] = ..., closing: _Optional[_Union[Closing, _Mapping]] = ..., assigned: _Optional[_Union[Assigned, _Mapping]] = ..., standby: _Optional[_Union[Standby, _Mapping]] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ("filter", "epoch", "earliest_cursor", "heartbeat_interval", "unknown_names")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    EARLIEST_CURSOR_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_NAMES_FIELD_NUMBER: _ClassVar[int]
    filter: Filter
    epoch: str
    earliest_cursor: str
    heartbeat_interval: _duration_pb2.Duration
    unknown_names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, filter: _Optional[_Union[Filter, _Mapping]] = ..., epoch: _Optional[str] = ..., earliest_cursor: _Optional[str] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., unknown_names: _Optional[_Iterable[str]] = ...) -> None: ...

class Assigned(_message.Message):
    __slots__ = ("shard", "lease")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    shard: Shard
    lease: str
    def __init__(self, shard: _Optional[_Union[Shard, _Mapping]] = ..., lease: _Optional[str] = ...) -> None: ...

class Standby(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("through", "caught_up")
    THROUGH_FIELD_NUMBER: _ClassVar[int]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    through: _timestamp_pb2.Timestamp
    caught_up: bool
    def __init__(self, through: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., caught_up: bool = ...) -> None: ...

class Gap(_message.Message):
    __slots__ = ("reason", "source", "contexts", "from_time", "to_time", "cause")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REASON_UNSPECIFIED: _ClassVar[Gap.Reason]
        REASON_CURSOR_EXPIRED: _ClassVar[Gap.Reason]
        REASON_CURSOR_FOREIGN: _ClassVar[Gap.Reason]
        REASON_DATA_LOSS: _ClassVar[Gap.Reason]
        REASON_QUARANTINED: _ClassVar[Gap.Reason]
        REASON_UPSTREAM_SUSPECTED: _ClassVar[Gap.Reason]
    REASON_UNSPECIFIED: Gap.Reason
    REASON_CURSOR_EXPIRED: Gap.Reason
    REASON_CURSOR_FOREIGN: Gap.Reason
    REASON_DATA_LOSS: Gap.Reason
    REASON_QUARANTINED: Gap.Reason
    REASON_UPSTREAM_SUSPECTED: Gap.Reason
    class Cause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CAUSE_UNSPECIFIED: _ClassVar[Gap.Cause]
        CAUSE_NOT_READY: _ClassVar[Gap.Cause]
        CAUSE_RETRIED: _ClassVar[Gap.Cause]
        CAUSE_CRM_REPORTED: _ClassVar[Gap.Cause]
        CAUSE_SILENCE: _ClassVar[Gap.Cause]
    CAUSE_UNSPECIFIED: Gap.Cause
    CAUSE_NOT_READY: Gap.Cause
    CAUSE_RETRIED: Gap.Cause
    CAUSE_CRM_REPORTED: Gap.Cause
    CAUSE_SILENCE: Gap.Cause
    REASON_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONTEXTS_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    reason: Gap.Reason
    source: str
    contexts: _containers.RepeatedScalarFieldContainer[str]
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    cause: Gap.Cause
    def __init__(self, reason: _Optional[_Union[Gap.Reason, str]] = ..., source: _Optional[str] = ..., contexts: _Optional[_Iterable[str]] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cause: _Optional[_Union[Gap.Cause, str]] = ...) -> None: ...

class Erased(_message.Message):
    __slots__ = ("source", "context", "entity")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    source: str
    context: str
    entity: str
    def __init__(self, source: _Optional[str] = ..., context: _Optional[str] = ..., entity: _Optional[str] = ...) -> None: ...

class Closing(_message.Message):
    __slots__ = ("reason", "retry_after")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REASON_UNSPECIFIED: _ClassVar[Closing.Reason]
        REASON_CAUGHT_UP: _ClassVar[Closing.Reason]
        REASON_DRAINING: _ClassVar[Closing.Reason]
        REASON_GRANT_CHANGED: _ClassVar[Closing.Reason]
        REASON_CREDENTIAL_EXPIRED: _ClassVar[Closing.Reason]
        REASON_MAX_AGE: _ClassVar[Closing.Reason]
        REASON_HANDED_OVER: _ClassVar[Closing.Reason]
        REASON_OPERATOR: _ClassVar[Closing.Reason]
    REASON_UNSPECIFIED: Closing.Reason
    REASON_CAUGHT_UP: Closing.Reason
    REASON_DRAINING: Closing.Reason
    REASON_GRANT_CHANGED: Closing.Reason
    REASON_CREDENTIAL_EXPIRED: Closing.Reason
    REASON_MAX_AGE: Closing.Reason
    REASON_HANDED_OVER: Closing.Reason
    REASON_OPERATOR: Closing.Reason
    REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    reason: Closing.Reason
    retry_after: _duration_pb2.Duration
    def __init__(self, reason: _Optional[_Union[Closing.Reason, str]] = ..., retry_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ListEventsRequest(_message.Message):
    __slots__ = ("filter", "after_cursor", "from_time", "event_id", "page_size")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    AFTER_CURSOR_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    filter: Filter
    after_cursor: str
    from_time: _timestamp_pb2.Timestamp
    event_id: str
    page_size: int
    def __init__(self, filter: _Optional[_Union[Filter, _Mapping]] = ..., after_cursor: _Optional[str] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event_id: _Optional[str] = ..., page_size: _Optional[int] = ...) -> None: ...

class ListEventsResponse(_message.Message):
    __slots__ = ("events", "gap", "erased", "next_cursor", "has_more")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    ERASED_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    gap: Gap
    erased: Erased
    next_cursor: str
    has_more: bool
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ..., gap: _Optional[_Union[Gap, _Mapping]] = ..., erased: _Optional[_Union[Erased, _Mapping]] = ..., next_cursor: _Optional[str] = ..., has_more: bool = ...) -> None: ...

class GetEventRequest(_message.Message):
    __slots__ = ("cursor", "include_raw_body")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_RAW_BODY_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    include_raw_body: bool
    def __init__(self, cursor: _Optional[str] = ..., include_raw_body: bool = ...) -> None: ...

class GetEventResponse(_message.Message):
    __slots__ = ("event", "raw_body")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    RAW_BODY_FIELD_NUMBER: _ClassVar[int]
    event: _event_pb2.Event
    raw_body: bytes
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ..., raw_body: _Optional[bytes] = ...) -> None: ...

class DescribeLogRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeLogResponse(_message.Message):
    __slots__ = ("epoch", "earliest_cursor", "earliest_time", "latest_cursor", "latest_time", "known_event_types", "tenants", "operator")
    class Tenant(_message.Message):
        __slots__ = ("source", "context")
        SOURCE_FIELD_NUMBER: _ClassVar[int]
        CONTEXT_FIELD_NUMBER: _ClassVar[int]
        source: str
        context: str
        def __init__(self, source: _Optional[str] = ..., context: _Optional[str] = ...) -> None: ...
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    EARLIEST_CURSOR_FIELD_NUMBER: _ClassVar[int]
    EARLIEST_TIME_FIELD_NUMBER: _ClassVar[int]
    LATEST_CURSOR_FIELD_NUMBER: _ClassVar[int]
    LATEST_TIME_FIELD_NUMBER: _ClassVar[int]
    KNOWN_EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    TENANTS_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    epoch: str
    earliest_cursor: str
    earliest_time: _timestamp_pb2.Timestamp
    latest_cursor: str
    latest_time: _timestamp_pb2.Timestamp
    known_event_types: _containers.RepeatedScalarFieldContainer[str]
    tenants: _containers.RepeatedCompositeFieldContainer[DescribeLogResponse.Tenant]
    operator: bool
    def __init__(self, epoch: _Optional[str] = ..., earliest_cursor: _Optional[str] = ..., earliest_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., latest_cursor: _Optional[str] = ..., latest_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., known_event_types: _Optional[_Iterable[str]] = ..., tenants: _Optional[_Iterable[_Union[DescribeLogResponse.Tenant, _Mapping]]] = ..., operator: bool = ...) -> None: ...
