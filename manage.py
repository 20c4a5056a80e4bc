#!/usr/bin/env python
import os
import secrets
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from retaildelivery import environment
from retaildelivery.embedded import keys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retaildelivery.settings")
    try:
        environment.read_dotenv()
        if sys.argv[1:2] == ["up"]:
            # Settings cannot be read without a key, and only this command makes one for itself.
            keys.ensure(environment.data_dir())
        if sys.argv[1:2] == ["price"]:
            # It signs nothing, so that anybody can try a rule with nothing set up.
            os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(60))
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # A wrong variable is the operator's to mend: the sentence helps, forty lines of stack do not.
        sys.exit(f"Configuration: {error}")


if __name__ == "__main__":
    main()
