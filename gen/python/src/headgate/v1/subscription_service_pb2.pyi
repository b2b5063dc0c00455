import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headgate.v1 import event_service_pb2 as _event_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Subscription(_message.Message):
    __slots__ = ("name", "shard_count", "created_at", "lag", "saved_at", "served", "standing_by", "endangered")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHARD_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    SAVED_AT_FIELD_NUMBER: _ClassVar[int]
    SERVED_FIELD_NUMBER: _ClassVar[int]
    STANDING_BY_FIELD_NUMBER: _ClassVar[int]
    ENDANGERED_FIELD_NUMBER: _ClassVar[int]
    name: str
    shard_count: int
    created_at: _timestamp_pb2.Timestamp
    lag: _duration_pb2.Duration
    saved_at: _timestamp_pb2.Timestamp
    served: int
    standing_by: int
    endangered: bool
    def __init__(self, name: _Optional[str] = ..., shard_count: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lag: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., saved_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., served: _Optional[int] = ..., standing_by: _Optional[int] = ..., endangered: bool = ...) -> None: ...

class SubscriptionShard(_message.Message):
    __slots__ = ("index", "cursor", "saved_at", "lag", "member", "client_name", "lease")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    SAVED_AT_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    CLIENT_NAME_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    index: int
    cursor: str
    saved_at: _timestamp_pb2.Timestamp
    lag: _duration_pb2.Duration
    member: str
    client_name: str
    lease: str
    def __init__(self, index: _Optional[int] = ..., cursor: _Optional[str] = ..., saved_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lag: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., member: _Optional[str] = ..., client_name: _Optional[str] = ..., lease: _Optional[str] = ...) -> None: ...

class Skip(_message.Message):
    __slots__ = ("cursor", "shard", "reason", "skipped_by", "skipped_at")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_BY_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_AT_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    shard: int
    reason: str
    skipped_by: str
    skipped_at: _timestamp_pb2.Timestamp
    def __init__(self, cursor: _Optional[str] = ..., shard: _Optional[int] = ..., reason: _Optional[str] = ..., skipped_by: _Optional[str] = ..., skipped_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateSubscriptionRequest(_message.Message):
    __slots__ = ("name", "shard_count", "start")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHARD_COUNT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    name: str
    shard_count: int
    start: _event_service_pb2.Start
    def __init__(self, name: _Optional[str] = ..., shard_count: _Optional[int] = ..., start: _Optional[_Union[_event_service_pb2.Start, _Mapping]] = ...) -> None: ...

class CreateSubscriptionResponse(_message.Message):
    __slots__ = ("subscription",)
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    subscription: Subscription
    def __init__(self, subscription: _Optional[_Union[Subscription, _Mapping]] = ...) -> None: ...

class GetSubscriptionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetSubscriptionResponse(_message.Message):
    __slots__ = ("subscription", "shards", "skips")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SHARDS_FIELD_NUMBER: _ClassVar[int]
    SKIPS_FIELD_NUMBER: _ClassVar[int]
    subscription: Subscription
    shards: _containers.RepeatedCompositeFieldContainer[SubscriptionShard]
    skips: _containers.RepeatedCompositeFieldContainer[Skip]
    def __init__(self, subscription: _Optional[_Union[Subscription, _Mapping]] = ..., shards: _Optional[_Iterable[_Union[SubscriptionShard, _Mapping]]] = ..., skips: _Optional[_Iterable[_Union[Skip, _Mapping]]] = ...) -> None: ...

class ListSubscriptionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSubscriptionsResponse(_message.Message):
    __slots__ = ("subscriptions",)
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    subscriptions: _containers.RepeatedCompositeFieldContainer[Subscription]
    def __init__(self, subscriptions: _Optional[_Iterable[_Union[Subscription, _Mapping]]] = ...) -> None: ...

class DeleteSubscriptionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteSubscriptionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SaveCursorsRequest(_message.Message):
    __slots__ = ("name", "saves")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SAVES_FIELD_NUMBER: _ClassVar[int]
    name: str
    saves: _containers.RepeatedCompositeFieldContainer[ShardSave]
    def __init__(self, name: _Optional[str] = ..., saves: _Optional[_Iterable[_Union[ShardSave, _Mapping]]] = ...) -> None: ...

class ShardSave(_message.Message):
    __slots__ = ("shard", "lease", "cursor", "release", "allow_back")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    ALLOW_BACK_FIELD_NUMBER: _ClassVar[int]
    shard: int
    lease: str
    cursor: str
    release: bool
    allow_back: bool
    def __init__(self, shard: _Optional[int] = ..., lease: _Optional[str] = ..., cursor: _Optional[str] = ..., release: bool = ..., allow_back: bool = ...) -> None: ...

class SaveCursorsResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SeekSubscriptionRequest(_message.Message):
    __slots__ = ("name", "shard", "start")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    name: str
    shard: int
    start: _event_service_pb2.Start
    def __init__(self, name: _Optional[str] = ..., shard: _Optional[int] = ..., start: _Optional[_Union[_event_service_pb2.Start, _Mapping]] = ...) -> None: ...

class SeekSubscriptionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SkipEventRequest(_message.Message):
    __slots__ = ("name", "cursor", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    cursor: str
    reason: str
    def __init__(self, name: _Optional[str] = ..., cursor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SkipEventResponse(_message.Message):
    __slots__ = ("skip",)
    SKIP_FIELD_NUMBER: _ClassVar[int]
    skip: Skip
    def __init__(self, skip: _Optional[_Union[Skip, _Mapping]] = ...) -> None: ...
