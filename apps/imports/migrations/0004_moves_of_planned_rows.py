"""How far a planned row moves its object, so that the page of a plan can list the farthest and hide the slight ones."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("imports", "0003_disputed_rows"),
    ]

    operations = [
        migrations.AddField(model_name="plannedrow", name="moved_km", field=models.FloatField(null=True)),
        migrations.AddField(
            model_name="plannedrow", name="slight", field=models.BooleanField(db_default=False, default=False)
        ),
        migrations.AddIndex(
            model_name="plannedrow",
            index=models.Index(fields=["run", "-moved_km"], name="plannedrow_moved", condition=Q(moved_km__gte=0.1)),
        ),
    ]
