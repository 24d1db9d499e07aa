"""Room for when the history of a changeset was pruned."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("changesets", "0002_review_and_field_counts"),
    ]

    operations = [
        migrations.AddField(
            model_name="changeset",
            name="pruned_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
