"""google_sheets: one row a key in a sheet of Google Sheets, whatever it holds as text and never as a formula."""

from bridge.targets.google_sheets.options import GoogleSheetsAction, GoogleSheetsOptions
from bridge.targets.google_sheets.target import GoogleSheets

__all__ = ["GoogleSheets", "GoogleSheetsAction", "GoogleSheetsOptions"]
