"""What a reviewer found, who asked for a changeset that somebody else confirmed, and what people say about it."""

import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models.deletion import CASCADE, SET_NULL


class Migration(migrations.Migration):
    dependencies = [
        ("changesets", "0007_stored_plans"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="changeset",
            name="asked_by",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="changeset",
            name="asked_by_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=255),
        ),
        migrations.AddField(
            model_name="changeset",
            name="review_verdict",
            field=models.CharField(
                blank=True,
                choices=[("fine", "Fine"), ("questionable", "Questionable"), ("harmful", "Harmful")],
                db_default="",
                default="",
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model", models.CharField(blank=True, default="", max_length=100)),
                ("object_key", models.CharField(blank=True, default="", max_length=270)),
                ("object_name", models.CharField(blank=True, default="", max_length=255)),
                ("author_name", models.CharField(max_length=255)),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "author",
                    models.ForeignKey(null=True, on_delete=SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "changeset",
                    models.ForeignKey(
                        db_index=False, on_delete=CASCADE, related_name="comments", to="changesets.changeset"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["changeset", "model", "object_key"], name="comment_of_object")],
            },
        ),
    ]
