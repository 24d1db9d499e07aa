"""The other codes of an airport, whether it has scheduled service, and its keywords, with their history."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("airports", "0003_history"),
    ]

    operations = [
        migrations.AddField(
            model_name="airport",
            name="gps_code",
            field=models.CharField(
                blank=True,
                help_text="As in flight plans; often it is the ICAO code.",
                max_length=8,
                null=True,
                verbose_name="GPS code",
            ),
        ),
        migrations.AddField(
            model_name="airport",
            name="icao_code",
            field=models.CharField(
                blank=True,
                help_text="The four characters that ICAO gives, if any.",
                max_length=8,
                null=True,
                verbose_name="ICAO code",
            ),
        ),
        migrations.AddField(
            model_name="airport",
            name="keywords",
            field=models.CharField(
                blank=True, help_text="Other names and codes, with commas between.", max_length=1000, null=True
            ),
        ),
        migrations.AddField(
            model_name="airport",
            name="local_code",
            field=models.CharField(
                blank=True, help_text="As the authority of its country calls it.", max_length=16, null=True
            ),
        ),
        migrations.AddField(
            model_name="airport",
            name="scheduled_service",
            field=models.BooleanField(blank=True, help_text="Whether airlines fly there by a timetable.", null=True),
        ),
        migrations.AddField(
            model_name="historicalairport",
            name="gps_code",
            field=models.CharField(
                blank=True,
                help_text="As in flight plans; often it is the ICAO code.",
                max_length=8,
                null=True,
                verbose_name="GPS code",
            ),
        ),
        migrations.AddField(
            model_name="historicalairport",
            name="icao_code",
            field=models.CharField(
                blank=True,
                help_text="The four characters that ICAO gives, if any.",
                max_length=8,
                null=True,
                verbose_name="ICAO code",
            ),
        ),
        migrations.AddField(
            model_name="historicalairport",
            name="keywords",
            field=models.CharField(
                blank=True, help_text="Other names and codes, with commas between.", max_length=1000, null=True
            ),
        ),
        migrations.AddField(
            model_name="historicalairport",
            name="local_code",
            field=models.CharField(
                blank=True, help_text="As the authority of its country calls it.", max_length=16, null=True
            ),
        ),
        migrations.AddField(
            model_name="historicalairport",
            name="scheduled_service",
            field=models.BooleanField(blank=True, help_text="Whether airlines fly there by a timetable.", null=True),
        ),
    ]
