"""Links from airports to countries and cities, and whether an airport is in use."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("airports", "0001_initial"),
        ("base", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="airport",
            name="country",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="airports",
                to="base.country",
            ),
        ),
        migrations.AddField(
            model_name="airport",
            name="city",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="airports",
                to="base.city",
            ),
        ),
        migrations.AddField(
            model_name="airport",
            name="active",
            field=models.BooleanField(default=True),
        ),
    ]
