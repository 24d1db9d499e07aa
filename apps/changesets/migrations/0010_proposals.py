"""What people asked for that a second person has to confirm."""

import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models.deletion import CASCADE


class Migration(migrations.Migration):
    dependencies = [
        ("changesets", "0009_follow"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("act", models.CharField(max_length=40)),
                ("key", models.CharField(max_length=40)),
                ("asked_by_name", models.CharField(max_length=255)),
                ("reason", models.TextField()),
                ("title", models.TextField()),
                ("size", models.BigIntegerField()),
                ("permission", models.CharField(max_length=200)),
                ("model", models.CharField(max_length=100)),
                ("address", models.TextField()),
                ("posted", models.JSONField()),
                ("stored_plan", models.BigIntegerField(null=True)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "asked_by",
                    models.ForeignKey(on_delete=CASCADE, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("asked_by", "key"), name="proposal_once")],
            },
        ),
    ]
