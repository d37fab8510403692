import requests

API_KEY = "votre-apikey"

SITE_ID = "votre-site-id"

URL = "https://api-checkout.cinetpay.com/v2/payment"

headers = {
    "Content-Type": "application/json"
}

payment = {
    "amount": 100,
    "apikey": API_KEY,
    "site_id": SITE_ID,
    "currency": "XOF",
    "transaction_id": "id-de-paiement-unique",
    "description": "TRANSACTION DESCRIPTION",
    "return_url": "https://www.exemple.com/return",
    "notify_url": "https://www.exemple.com/notify",
    "customer_name": "Dje Bi",
    "customer_surname": "Jean-Marc"

}

response = requests.post(url=URL, headers=headers, json=payment)

print(response)
