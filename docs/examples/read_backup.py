"""Prints a meet-ai backup, checked against its checksums: python3 read_backup.py FOLDER"""
import hashlib, json, pathlib, sys

def parts(path):
    """The records of a file, up to its last checksum."""
    digest, records = hashlib.sha256(), []
    for line in path.open("rb"):
        if not line.endswith(b"\n"):
            return  # Its writer was cut off.
        record = json.loads(line)
        if record.get("version", 1) > 3:
            sys.exit(f"{path} has a later version than 3.")
        if record.get("type") == "sum":
            if record["sha256"] != digest.hexdigest():
                sys.exit(f"{path} is damaged.")
            yield from records
            digest, records = hashlib.sha256(), []
        else:
            digest.update(line)
            records.append(record)

folder = pathlib.Path(sys.argv[1])
for row in (record for record in parts(folder / "directory.ndjson") if record["type"] == "room"):
    file = folder / "rooms" / f"{row['id']}.ndjson"
    for message in parts(file) if file.exists() else []:
        if message.get("seq", 0) >= row.get("first", 1) and message["at"] >= (row.get("goneBefore") or ""):
            print(json.dumps([row["id"], message["seq"], message["sender"], message["content"]]))
