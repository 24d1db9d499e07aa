"""Rows of a plan whose evidence contradicts their key, and what people decide about them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imports", "0002_headermapping_changes"),
    ]

    operations = [
        migrations.AddField(
            model_name="plannedrow",
            name="disputed",
            field=models.JSONField(null=True),
        ),
        migrations.AlterField(
            model_name="plannedrow",
            name="decision",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "As planned"),
                    ("take", "Take the file's values"),
                    ("keep", "Keep our values"),
                    ("leave", "Leave the object alone"),
                    ("id", "Its first key counts"),
                    ("ident", "Its other keys count"),
                ],
                default="",
                max_length=5,
            ),
        ),
        migrations.AddIndex(
            model_name="plannedrow",
            index=models.Index(
                condition=models.Q(("disputed__isnull", False)), fields=["run", "id"], name="plannedrow_disputed"
            ),
        ),
    ]
