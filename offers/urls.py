"""Every page of offers, by the door it is behind."""

from offers import ops_urls

app_name = "offers"
urlpatterns = [*ops_urls.urlpatterns]
