curl -X POST https://api-checkout.cinetpay.com/v2/payment \
-H "Content-Type: application/json" \
-d '{
        "amount": 100,
        "apikey": "votre-apikey",
        "site_id": "votre-site-id",
        "currency": "XOF",
        "transaction_id": "id-de-paiement-unique",
        "description": "TRANSACTION DESCRIPTION",
        "return_url": "https://www.exemple.com/return",
        "notify_url": "https://www.exemple.com/notify",
        "customer_name": "Dje Bi",
        "customer_surname": "Jean-Marc"
    }'
