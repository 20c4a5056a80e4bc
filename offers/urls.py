"""Every page of offers, by the door it is behind."""

from offers import drive_urls, ops_urls

app_name = "offers"
urlpatterns = [*drive_urls.urlpatterns, *ops_urls.urlpatterns]
