import requests

API_KEY = "votre-apikey"

SITE_ID = "votre-site-id"

URL = "https://api-checkout.cinetpay.com/v2/payment/check"

headers = {
    "Content-Type": "application/json"
}

payment = {
    "apikey": API_KEY,
    "site_id": SITE_ID,
    "transaction_id": "id-de-paiement"
}

response = requests.post(url=URL, headers=headers, json=payment)

print(response)
