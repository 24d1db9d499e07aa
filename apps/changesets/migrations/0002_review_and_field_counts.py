"""Room for reviews, and for counts by field."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("changesets", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="changeset",
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("revert_changeset", "Can revert a changeset"),
                    ("review_changeset", "Can mark a changeset reviewed"),
                ],
            },
        ),
        migrations.AddField(
            model_name="changeset",
            name="field_counts",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="changeset",
            name="review_comment",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.AddField(
            model_name="changeset",
            name="reviewed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="changeset",
            name="reviewed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="changeset",
            name="reviewed_by_name",
            field=models.CharField(blank=True, default="", max_length=255),
        ),
    ]
