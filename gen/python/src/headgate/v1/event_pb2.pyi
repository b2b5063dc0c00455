import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Event(_message.Message):
    __slots__ = ("cursor", "event_id", "entity", "event_type", "action", "context", "source", "primary_key", "changed_by_associate_id", "webhook_name", "changed_fields", "occurred_at", "received_at", "relation", "associate", "fields", "first_received_at", "traceparent")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_KEY_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BY_ASSOCIATE_ID_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_NAME_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELDS_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    ASSOCIATE_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    FIRST_RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    event_id: str
    entity: str
    event_type: str
    action: str
    context: str
    source: str
    primary_key: int
    changed_by_associate_id: int
    webhook_name: str
    changed_fields: _containers.RepeatedScalarFieldContainer[str]
    occurred_at: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    relation: RelationEvent
    associate: AssociateEvent
    fields: _struct_pb2.Struct
    first_received_at: _timestamp_pb2.Timestamp
    traceparent: str
    def __init__(self, cursor: _Optional[str] = ..., event_id: _Optional[str] = ..., entity: _Optional[str] = ..., event_type: _Optional[str] = ..., action: _Optional[str] = ..., context: _Optional[str] = ..., source: _Optional[str] = ..., primary_key: _Optional[int] = ..., changed_by_associate_id: _Optional[int] = ..., webhook_name: _Optional[str] = ..., changed_fields: _Optional[_Iterable[str]] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., relation: _Optional[_Union[RelationEvent, _Mapping]] = ..., associate: _Optional[_Union[AssociateEvent, _Mapping]] = ..., fields: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., first_received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., traceparent: _Optional[str] = ...) -> None: ...

class RelationEvent(_message.Message):
    __slots__ = ("relation_id", "associate_id", "reldef_id", "source_table", "source_record", "destination_table", "destination_record", "registered", "registered_associate_id", "updated", "updated_associate_id", "source_entity", "destination_entity")
    RELATION_ID_FIELD_NUMBER: _ClassVar[int]
    ASSOCIATE_ID_FIELD_NUMBER: _ClassVar[int]
    RELDEF_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_TABLE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_RECORD_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_TABLE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_RECORD_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_ASSOCIATE_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_ASSOCIATE_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ENTITY_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_ENTITY_FIELD_NUMBER: _ClassVar[int]
    relation_id: int
    associate_id: int
    reldef_id: int
    source_table: int
    source_record: int
    destination_table: int
    destination_record: int
    registered: _timestamp_pb2.Timestamp
    registered_associate_id: int
    updated: _timestamp_pb2.Timestamp
    updated_associate_id: int
    source_entity: str
    destination_entity: str
    def __init__(self, relation_id: _Optional[int] = ..., associate_id: _Optional[int] = ..., reldef_id: _Optional[int] = ..., source_table: _Optional[int] = ..., source_record: _Optional[int] = ..., destination_table: _Optional[int] = ..., destination_record: _Optional[int] = ..., registered: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., registered_associate_id: _Optional[int] = ..., updated: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_associate_id: _Optional[int] = ..., source_entity: _Optional[str] = ..., destination_entity: _Optional[str] = ...) -> None: ...

class AssociateEvent(_message.Message):
    __slots__ = ("associate_id", "deleted", "group_idx", "person_id", "registered_associate_id", "type", "updated", "updated_associate_id", "waiting_for_approval")
    ASSOCIATE_ID_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    GROUP_IDX_FIELD_NUMBER: _ClassVar[int]
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_ASSOCIATE_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_ASSOCIATE_ID_FIELD_NUMBER: _ClassVar[int]
    WAITING_FOR_APPROVAL_FIELD_NUMBER: _ClassVar[int]
    associate_id: int
    deleted: bool
    group_idx: int
    person_id: int
    registered_associate_id: int
    type: int
    updated: _timestamp_pb2.Timestamp
    updated_associate_id: int
    waiting_for_approval: bool
    def __init__(self, associate_id: _Optional[int] = ..., deleted: bool = ..., group_idx: _Optional[int] = ..., person_id: _Optional[int] = ..., registered_associate_id: _Optional[int] = ..., type: _Optional[int] = ..., updated: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_associate_id: _Optional[int] = ..., waiting_for_approval: bool = ...) -> None: ...
