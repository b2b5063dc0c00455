"""A protoc plugin around the generator of grpcio-tools, which exists inside its protoc only."""

import os
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2

request = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
response = plugin_pb2.CodeGeneratorResponse()
response.supported_features = response.FEATURE_PROTO3_OPTIONAL
with tempfile.TemporaryDirectory() as folder:
    files = os.path.join(folder, "files")
    with open(files, "wb") as f:
        f.write(descriptor_pb2.FileDescriptorSet(file=request.proto_file).SerializeToString())
    out = os.path.join(folder, "out")
    os.mkdir(out)
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_in={files}", f"--grpc_python_out={out}", *request.file_to_generate],
        check=True, stdout=sys.stderr,
    )
    for parent, _, names in sorted(os.walk(out)):
        for name in sorted(names):
            path = os.path.join(parent, name)
            with open(path, encoding="utf-8") as f:
                response.file.add(name=os.path.relpath(path, out).replace(os.sep, "/"), content=f.read())
for folder in sorted({os.path.dirname(name) for name in request.file_to_generate}):
    response.file.add(name=f"{folder}/py.typed")  # says that the packages have types
sys.stdout.buffer.write(response.SerializeToString())
