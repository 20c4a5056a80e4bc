"""Drive-shaped: `/drive/v2/`, as the clients of DoorDash Drive speak, version 2.0.22 of its document and later."""
